"""Organizations' own accounts with providers: asked for, remembered, and made into providers."""
