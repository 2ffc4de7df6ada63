"""What the API answers of the rollups."""
