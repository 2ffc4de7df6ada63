"""The gateway: the public API, the outbox's relay and the ingest of delivery events."""
