"""Addresses to which an organization sends nothing more."""
