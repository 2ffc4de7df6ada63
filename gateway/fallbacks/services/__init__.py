"""Sending in place of what did not arrive."""
