"""Carillon's shared library: what every process of the platform has in common."""

__version__ = "0.1.0"
