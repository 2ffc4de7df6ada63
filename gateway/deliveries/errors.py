"""Refusals about dead letters."""

import math
from datetime import datetime, timedelta

from carillon.web.errors import ApiError


class DeadLetterNotFound(ApiError):
    """No such dead letter of this organization."""

    status = 404
    code = "dead_letter_not_found"
    message = "There is no such dead letter."


class ReplayBacklog(ApiError):
    """So many replays are spread over the time to come that no more fit in."""

    status = 409
    code = "replay_backlog"

    def __init__(self, until: datetime, wait: timedelta) -> None:
        super().__init__(
            f"Earlier replays are spread until {until.isoformat(timespec='seconds')}. "
            "Try again when fewer of them are waiting.",
            headers={"Retry-After": str(max(1, math.ceil(wait.total_seconds())))},
        )
