"""What an organization decides for all of its users: defaults, categories, frequency caps."""
