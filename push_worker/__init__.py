"""The push worker: one job in, one push to a user's devices, one event back."""
