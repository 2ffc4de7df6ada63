"""Keeping the rollups in step with the notifications."""
