"""Organizations' own accounts with providers: kept encrypted, handed to the workers alone."""
