"""The template service: what is said, in which language, and which version of it."""
