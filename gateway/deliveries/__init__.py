"""What became of notifications: delivery events, attempts, retries, dead letters."""
