"""Writes. Each takes a body as the API read it, and leaves the database and the cache agreed."""
