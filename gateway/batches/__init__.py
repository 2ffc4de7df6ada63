"""Bulk requests: one message to thousands of recipients, their progress and cancelling them."""
