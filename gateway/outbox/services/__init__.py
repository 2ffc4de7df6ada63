"""What the outbox does: taking windows of due rows, publishing them, settling them."""
