"""Email providers: one file each, and one line in `email_worker.registry`."""
