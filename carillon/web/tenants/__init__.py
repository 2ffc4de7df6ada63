"""A Django app for the internal services: their copy of which organizations exist."""
