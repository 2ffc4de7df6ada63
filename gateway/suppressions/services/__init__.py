"""What the suppressions app does: keeping reports, and telling them."""
