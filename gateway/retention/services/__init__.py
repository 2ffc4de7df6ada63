"""Clearing what is personal."""
