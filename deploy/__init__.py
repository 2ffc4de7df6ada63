"""How the platform is run: the local stack, images, and what checks the source."""
