"""Typed HTTP clients for our own internal APIs."""
