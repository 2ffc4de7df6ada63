"""Sees to it that a user who was erased here is erased at the gateway too."""
