"""What is said on another channel, once, where a notification did not arrive on its own."""
