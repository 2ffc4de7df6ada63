"""Tests of the template service."""
