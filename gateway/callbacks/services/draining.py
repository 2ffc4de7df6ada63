"""Applies what was kept: a batch of reports is one transaction with what follows from it."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import psycopg

from carillon.contracts.messages import Outcome
from carillon.contracts.suppressions import SuppressionReason
from gateway.callbacks.events import OUTCOMES, Kind
from gateway.callbacks.services import draining_sql as sql
from gateway.callbacks.services.draining_rows import (
    About,
    Attempt,
    Kept,
    attempt_of,
    delivery_event,
)
from gateway.deliveries.retry import RetryPolicy
from gateway.deliveries.services.events import AppliedBatch, apply_events
from gateway.deliveries.services.reading import ReadEvent
from gateway.deliveries.transitions import refines
from gateway.outbox.database import Connection
from gateway.suppressions.services.reports import (
    SuppressionReport,
    keep_suppressions,
    suppression_reason,
)

BATCH = 500
# What is a report's own fault. It is tried alone, and given up.
REFUSED = (psycopg.DataError, psycopg.IntegrityError, ValueError, TypeError, LookupError)
# Seconds between two looks for the message that a report is about, doubling.
FIRST_WAIT, LONGEST_WAIT = 1.0, 3_600.0


@dataclass(slots=True)
class Drained:
    """What a committed batch did."""

    found: int = 0
    applied: AppliedBatch = field(default_factory=AppliedBatch)
    # Each with its result, as the metric names it.
    settled: list[tuple[Kept, str]] = field(default_factory=list)


def drain(
    connection: Connection,
    policies: Mapping[str, RetryPolicy],
    *,
    now: datetime,
    wait_seconds: float,
    most: int = BATCH,
) -> Drained:
    """Apply up to `most` due reports, the longest due first, and commit.

    What is about no message of ours is looked for again, for `wait_seconds` after it came. Several
    processes may do so. Raises psycopg.Error, with nothing done.
    """
    try:
        return _Batch(connection, _claim(connection, now, most), now, wait_seconds).apply(policies)
    except REFUSED:
        connection.rollback()
    drained = Drained()
    for _ in range(most):
        due = _claim(connection, now, 1)
        if not due:
            break
        try:
            one = _Batch(connection, due, now, wait_seconds).apply(policies)
        except REFUSED:
            connection.rollback()
            connection.execute(sql.SETTLE, ([due[0].id],))
            connection.commit()
            one = Drained(1, AppliedBatch(), [(due[0], "refused")])
        _add(drained, one)
    connection.commit()
    return drained


def _add(whole: Drained, part: Drained) -> None:
    whole.found += part.found
    whole.settled += part.settled
    whole.applied.new += part.applied.new
    whole.applied.moved += part.applied.moved
    whole.applied.repeated += part.applied.repeated
    whole.applied.late += part.applied.late
    whole.applied.unknown += part.applied.unknown


def _claim(connection: Connection, now: datetime, most: int) -> list[Kept]:
    """In the order in which it happened, as far as the provider says so."""
    rows = connection.execute(sql.CLAIM, (now, most)).fetchall()
    kept = list(itertools.starmap(Kept, rows))
    return sorted(kept, key=lambda each: (each.occurred_at, each.id))


class _Batch:
    """Reports that are being applied."""

    def __init__(
        self, connection: Connection, due: list[Kept], now: datetime, wait_seconds: float
    ) -> None:
        self._connection = connection
        self._due = due
        self._now = now
        self._wait_seconds = wait_seconds
        self._drained = Drained(found=len(due))

    def apply(self, policies: Mapping[str, RetryPolicy]) -> Drained:
        """Commits. Raises psycopg.Error or one of REFUSED."""
        if not self._due:
            self._connection.commit()
            return self._drained
        about = self._correlate()
        self._put_off([kept for kept in self._due if kept.id not in about])
        known = [(kept, about[kept.id]) for kept in self._due if kept.id in about]
        self._drained.settled += [(kept, "applied") for kept, _ in known]
        self._connection.execute(sql.SETTLE, ([kept.id for kept, _ in self._drained.settled],))
        self._engage(known)
        events = self._events(known)
        if events:
            # Commits all of the above with it.
            self._drained.applied = apply_events(self._connection, events, policies)
        self._connection.commit()
        return self._drained

    def _correlate(self) -> dict[int, Attempt]:
        """What each report is about, its notification locked."""
        asked = {kept.about for kept in self._due if kept.notification is None}
        candidates = self._candidates(asked)
        notifications = {found for each in candidates.values() for found in each}
        notifications |= {kept.notification for kept in self._due if kept.notification}
        if not notifications:
            return {}
        attempts = self._lock(notifications)
        about: dict[int, Attempt] = {}
        for kept in self._due:
            found = {kept.notification} if kept.notification else candidates.get(kept.about, set())
            if len(found) > 1:
                # Nobody could say whom it is about, and the two may be of two organizations.
                self._drained.settled.append((kept, "ambiguous"))
                continue
            attempt = attempt_of(kept, attempts.get(next(iter(found), None), ()))
            if attempt is not None:
                about[kept.id] = attempt
        return about

    def _candidates(self, asked: set[About]) -> dict[About, set[UUID]]:
        rows = [
            {"provider": provider, "id": id_, "organization": organization}
            for provider, id_, organization in asked
        ]
        found: dict[About, set[UUID]] = {}
        if rows:
            for *about, notification in self._connection.execute(sql.CORRELATE, (_json(rows),)):
                found.setdefault(About(*about), set()).add(notification)
        return found

    def _lock(self, notifications: set[UUID]) -> dict[UUID | None, list[Attempt]]:
        """The attempts of each; nobody changes them until we commit."""
        self._connection.execute(sql.LOCK, (list(notifications),))
        found: dict[UUID | None, list[Attempt]] = {}
        rows = self._connection.execute(sql.ATTEMPTS, (list(notifications),))
        for attempt in itertools.starmap(Attempt, rows):
            found.setdefault(attempt.notification, []).append(attempt)
        return found

    def _put_off(self, missing: Iterable[Kept]) -> None:
        """The worker's own word may not have come yet; or the message is not ours at all."""
        settled = {kept.id for kept, _ in self._drained.settled}
        again = []
        for kept in missing:
            if kept.id in settled:
                continue
            if self._now - kept.received_at >= timedelta(seconds=self._wait_seconds):
                self._drained.settled.append((kept, "unknown"))
                continue
            wait = min(FIRST_WAIT * 2 ** min(kept.tries, 20), LONGEST_WAIT)
            again.append({"id": kept.id, "due_at": self._now + timedelta(seconds=wait)})
        if again:
            self._connection.execute(sql.PUT_OFF, (_json(again),))

    def _engage(self, known: Sequence[tuple[Kept, Attempt]]) -> None:
        """What is no outcome is kept beside the status."""
        rows: dict[tuple[UUID, str], list[datetime]] = {}
        for kept, attempt in known:
            if Kind(kept.kind) not in OUTCOMES:
                rows.setdefault((attempt.notification, kept.kind), []).append(kept.occurred_at)
        if rows:
            said = [
                {
                    "notification_id": notification,
                    "kind": kind,
                    "first_at": min(times),
                    "last_at": max(times),
                    "count": len(times),
                }
                for (notification, kind), times in rows.items()
            ]
            self._connection.execute(sql.ENGAGE, (_json(said),))

    def _events(self, known: Sequence[tuple[Kept, Attempt]]) -> list[ReadEvent]:
        """The outcomes; addresses are suppressed here where they will not be by those."""
        recorded = {(each.notification, each.number): Outcome(each.outcome) for _, each in known}
        events: list[ReadEvent] = []
        suppressions: list[SuppressionReport] = []
        for kept, attempt in known:
            outcome = OUTCOMES.get(Kind(kept.kind))
            told = False
            if outcome is not None:
                event = delivery_event(kept, attempt, outcome)
                events.append(ReadEvent(attempt.notification, event))
                key = attempt.notification, attempt.number
                if refines(recorded[key], outcome):
                    recorded[key] = outcome
                    told = suppression_reason(event) is not None
            if kept.suppress and not told:
                suppressions.append(
                    SuppressionReport(
                        attempt.notification,
                        SuppressionReason(kept.suppress),
                        kept.provider,
                        kept.code,
                    )
                )
        keep_suppressions(self._connection, suppressions, at=self._now)
        return events


def _json(rows: Sequence[Mapping[str, object]]) -> str:
    return msgspec.json.encode(rows).decode()


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many are not settled, and since when the longest due of them waits; in seconds."""

    count: int
    overdue: float


def measure_waiting(connection: Connection, now: datetime) -> Waiting:
    """Raises psycopg.Error."""
    row = connection.execute(sql.WAITING, (now,)).fetchone()
    connection.commit()
    count, due_at = row or (0, None)
    return Waiting(int(count), (now - due_at).total_seconds() if due_at else 0.0)
