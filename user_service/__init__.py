"""The user service: who may be reached, where, when and about what."""
