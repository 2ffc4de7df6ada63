"""The calls about an organization and its keys."""
