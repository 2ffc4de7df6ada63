"""What the three Django services share: the only part of the library that knows Django."""
