"""What providers say later: receipts, bounces, complaints, opens; kept first, then applied."""
