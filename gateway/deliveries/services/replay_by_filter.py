"""Sending again what failed, by the thousand: spread over time, in one statement."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from carillon.contracts import ids
from gateway.deliveries.errors import ReplayBacklog
from gateway.deliveries.models import DeadLetter
from gateway.deliveries.replay_metrics import REPLAYED
from gateway.deliveries.selectors import DeadLetterFilters, list_replayable
from gateway.deliveries.services.replay_decisions import Failed, decide_all
from gateway.deliveries.services.replay_sql import (
    HORIZON,
    PutBack,
    Waiting,
    one_replay_at_a_time,
    put_back,
    waiting_replays,
)
from gateway.notifications.services.locking import changing

log = structlog.get_logger(__name__)

SAMPLE = 10


@dataclass(frozen=True, slots=True)
class Pace:
    """How many at most, and how many of them a second."""

    limit: int
    per_second: int

    @property
    def spacing(self) -> timedelta:
        """From one to the next."""
        return timedelta(seconds=1 / self.per_second)

    def starts_at(self, waiting: Waiting, now: datetime) -> datetime:
        """Behind what earlier calls have spread: the pace holds however often one calls."""
        return now if waiting.until is None else max(now, waiting.until + self.spacing)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """What a replay by filter did; of a dry run, what it would do.

    `matching` could be replayed beforehand, `remaining` afterwards. `waiting` replays of the
    organization have not been handed over yet, the last of them is due at `until`.
    """

    dry_run: bool
    matching: int
    replayed: int
    rejected: int
    remaining: int
    waiting: int
    starts_at: datetime | None
    until: datetime | None
    sample: tuple[DeadLetter, ...] = ()


def plan_replay(organization_id: str, filters: DeadLetterFilters, pace: Pace) -> ReplayReport:
    """What `replay_by_filter` would do, without asking what the recipients want today."""
    now = datetime.now(UTC)
    found = list_replayable(organization_id, filters, now=now)
    matching = found.count()
    waiting = waiting_replays(ids.uuid_of(ids.ORGANIZATION, organization_id), now=now)
    start = pace.starts_at(waiting, now)
    count = min(matching, pace.limit, _room(start, now, pace))
    return ReplayReport(
        dry_run=True,
        matching=matching,
        replayed=count,
        rejected=0,
        remaining=matching - count,
        waiting=waiting.count,
        starts_at=start if count else None,
        until=start + pace.spacing * (count - 1) if count else waiting.until,
        sample=tuple(found[:SAMPLE]),
    )


def replay_by_filter(organization_id: str, filters: DeadLetterFilters, pace: Pace) -> ReplayReport:
    """Replay up to `pace.limit` dead letters, the oldest first; of those the urgent lead.

    Raises ReplayBacklog, NotificationBusy or UserServiceUnavailable, with nothing replayed.
    """
    organization = ids.uuid_of(ids.ORGANIZATION, organization_id)
    now = datetime.now(UTC)
    found = list_replayable(organization_id, filters, now=now)
    matching = found.count()
    chosen = found.values_list(
        "notification_id",
        "notification__user_id",
        "notification__channel",
        "notification__category",
    )[: pace.limit]
    decisions = decide_all(organization_id, [Failed(*values) for values in chosen])
    done, start = PutBack(0, 0, None), now
    if decisions:
        with changing():
            one_replay_at_a_time(organization)
            now = datetime.now(UTC)
            before = waiting_replays(organization, now=now)
            start = pace.starts_at(before, now)
            room = _room(start, now, pace)
            if not room:
                raise ReplayBacklog(start, start - now - HORIZON + pace.spacing)
            done = put_back(decisions[:room], now=now, start=start, spacing=pace.spacing)
    REPLAYED.labels("accepted").inc(done.accepted)
    REPLAYED.labels("rejected").inc(done.rejected)
    log.info("dead letters replayed", accepted=done.accepted, rejected=done.rejected)
    waiting = waiting_replays(organization, now=now)
    return ReplayReport(
        dry_run=False,
        matching=matching,
        replayed=done.accepted,
        rejected=done.rejected,
        remaining=list_replayable(organization_id, filters, now=now).count(),
        waiting=waiting.count,
        starts_at=start if done.accepted else None,
        until=done.until or waiting.until,
    )


def _room(start: datetime, now: datetime, pace: Pace) -> int:
    """How many fit in before the horizon."""
    return max(0, int((now + HORIZON - start) / pace.spacing))
