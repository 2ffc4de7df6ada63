"""Providers of the text channels: one file each, and one line in `sms_worker.registry`."""
