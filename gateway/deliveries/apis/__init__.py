"""The calls about dead letters."""
