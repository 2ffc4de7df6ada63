"""Changes of notifications that are stored."""
