"""Logs, correlation ids, masking, metrics and health: the same in every process."""
