"""The page behind an unsubscribe link: what somebody receives, and one press to receive less."""
