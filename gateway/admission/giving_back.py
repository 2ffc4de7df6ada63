"""Gives back what notifications took that were never handed to the broker, and never will be."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import structlog

from carillon.contracts.messages import Mode
from gateway.admission.claims import cap_key, quota_keys
from gateway.admission.months import Month
from gateway.admission.scripts import GIVE_BACK, RedisDown, scripts

log = structlog.get_logger(__name__)

TOGETHER = 500


class Unsent(msgspec.Struct, frozen=True, kw_only=True):
    """A notification that was cancelled or rejected before the relay took it.

    `recipient` is the user's id, or the address of who has none; empty where it is not known any
    more.
    """

    notification_id: UUID
    created_at: datetime
    mode: Mode
    category: str = ""
    recipient: str = ""


def give_back(organization_id: str, unsent: Iterable[Unsent]) -> None:
    """Their quota and frequency caps. To be called once for each, after the commit.

    What Redis cannot be told, PostgreSQL knows: it counts none of them (`counting.count_since`).
    """
    by_month: dict[Month, list[Unsent]] = {}
    for each in unsent:
        by_month.setdefault(Month.of(each.created_at), []).append(each)
    try:
        for month, some in by_month.items():
            for start in range(0, len(some), TOGETHER):
                _give_back(organization_id, month, some[start : start + TOGETHER])
    except RedisDown:
        log.warning("quota not given back in Redis", notifications=sum(map(len, by_month.values())))


def _give_back(organization_id: str, month: Month, unsent: Sequence[Unsent]) -> None:
    live = sum(each.mode is Mode.LIVE for each in unsent)
    caps = [
        cap_key(organization_id, each.mode, each.category, each.recipient)
        if each.category and each.recipient
        else ""
        for each in unsent
    ]
    keys = [*quota_keys(organization_id, month), *caps]
    scripts().run(GIVE_BACK, keys, [live, *(each.notification_id.hex for each in unsent)])
