"""What user_service asks of retention."""
