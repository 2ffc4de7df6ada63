"""Accepting bulk requests, and cancelling them."""
