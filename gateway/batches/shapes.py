"""What the API shows of a bulk request."""

from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec import UNSET, UnsetType

from carillon.contracts.status import Status


class Refusal(msgspec.Struct, frozen=True):
    """Why the recipient at `index` (from 0) was refused; `error` is the code of a single call."""

    index: int
    error: str
    message: str


class State(StrEnum):
    """Where a batch is: nothing handed over yet, on its way, all done, or cancelled."""

    PENDING = "pending"
    SENDING = "sending"
    DONE = "done"
    CANCELLED = "cancelled"


class BulkShape(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a bulk request: how many recipients became what.

    `accepted` will be sent. `rejected` are stored and will not be: opted out or suppressed.
    `replayed` had a request_id of their own that was answered before. `refused` are not stored.
    """

    batch_id: str
    request_id: str
    correlation_id: str
    accepted: int
    rejected: int
    replayed: int
    refused: int
    refusals: list[Refusal]


class BatchShape(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as it was accepted."""

    batch_id: str
    request_id: str
    correlation_id: str
    notification_type: str
    template_code: str | None
    category: str | None
    priority: int
    total: int
    accepted: int
    rejected: int
    replayed: int
    refused: int
    created_at: datetime
    scheduled_at: datetime | None
    expires_at: datetime | None
    cancelled_at: datetime | None


class ProgressShape(BatchShape, frozen=True, kw_only=True):
    """A batch and where its notifications are; `counts` has the statuses that there are.

    `started_at` is when the first was handed over, `finished_at` when the last one changed, once
    the batch is done.
    """

    state: State
    counts: dict[Status, int]
    started_at: datetime | None
    finished_at: datetime | None
    refusals: list[Refusal] | UnsetType = UNSET


class CancelledShape(msgspec.Struct, frozen=True, kw_only=True):
    """What cancelling did: `cancelled` will not be sent, `gone` were handed over before."""

    batch_id: str
    state: State
    cancelled: int
    gone: int
    counts: dict[Status, int]
