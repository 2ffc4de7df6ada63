"""The harness itself: what it makes of measurements, and not how fast anything is."""
