"""What the callbacks app does: keeping reports, applying them, forgetting them."""
