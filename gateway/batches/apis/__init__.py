"""`/api/v1/notifications/bulk/` and `/api/v1/batches/`."""
