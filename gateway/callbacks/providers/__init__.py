"""Each provider's callbacks: one file, and one line in `gateway.callbacks.registry`."""
