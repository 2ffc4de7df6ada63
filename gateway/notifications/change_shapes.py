"""What the API answers to a change."""

import msgspec


class DeletedShape(msgspec.Struct, frozen=True):
    """The id of what was deleted."""

    notification_id: str
