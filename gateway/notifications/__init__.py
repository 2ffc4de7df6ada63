"""The notifications API: accept, read, change."""
