"""Push providers: one file each, and one line in `push_worker.registry`."""
