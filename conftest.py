"""Fixtures for every suite."""

pytest_plugins = ["carillon.testing.servers"]
