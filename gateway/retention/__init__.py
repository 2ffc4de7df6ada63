"""What is personal does not stay: cleared after a while, or with the user it is about."""
