"""The email worker: one job in, one mail out, one event back."""
