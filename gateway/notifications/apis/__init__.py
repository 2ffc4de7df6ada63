"""The calls of `/api/v1/notifications/`."""
