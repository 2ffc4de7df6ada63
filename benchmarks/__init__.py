"""Carillon beside what people would use instead, measured in one run by one command."""
