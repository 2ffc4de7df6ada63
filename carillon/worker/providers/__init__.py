"""Providers that serve every channel."""
