"""The public calls of the internal services, forwarded with the organization of the key."""
