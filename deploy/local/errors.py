"""The failure of the local stack."""


class StackError(Exception):
    """The stack cannot go on; the message says why and what to do, for a person to read."""
