"""The words all processes share: message types, channels, lanes, statuses and identifiers."""
