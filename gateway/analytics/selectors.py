"""Reads of the rollups; the notifications themselves are never looked at."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db import connection

# Rows that one answer is made of, at most: statuses and buckets of latency, by time and group.
ROWS_MOST = 200_000

Group = tuple[str, ...]


class Bucket(StrEnum):
    """How long a point of a series is, in UTC."""

    HOUR = "hour"
    DAY = "day"

    @property
    def length(self) -> timedelta:
        """Of one bucket."""
        return timedelta(hours=1) if self is Bucket.HOUR else timedelta(days=1)

    def start_of(self, time: datetime) -> datetime:
        """When the bucket of `time` began."""
        start = time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return start if self is Bucket.HOUR else start.replace(hour=0)


class GroupBy(StrEnum):
    """What the counts are told apart by."""

    CHANNEL = "channel"
    TEMPLATE_CODE = "template_code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to count: from `start` to before `end`, both on the edge of a bucket."""

    organization: UUID
    start: datetime
    end: datetime
    bucket: Bucket
    mode: str
    group_by: tuple[GroupBy, ...] = ()
    channel: str = ""
    template_code: str = ""


@dataclass(slots=True)
class Counts:
    """Notifications by status, and the delivered ones by bucket of latency."""

    by_status: Counter[str] = field(default_factory=Counter)
    latencies: Counter[int] = field(default_factory=Counter)

    def add(self, status: str, latency: int, count: int) -> None:
        """So many more."""
        self.by_status[status] += count
        if latency:
            self.latencies[latency] += count


@dataclass(slots=True)
class Answer:
    """The counts of all, by group, and by bucket and group, in the order of time."""

    totals: Counts = field(default_factory=Counts)
    groups: dict[Group, Counts] = field(default_factory=dict)
    series: dict[tuple[datetime, Group], Counts] = field(default_factory=dict)


class TooMuch(Exception):
    """The question has more than ROWS_MOST rows of an answer."""


def answer_question(question: Question) -> Answer:
    """Raises TooMuch."""
    groups = [group.value for group in question.group_by]
    keys = ", ".join(["date_trunc(%(bucket)s, hour, 'UTC')", *groups, "status", "latency"])
    numbers = ", ".join(str(number + 1) for number in range(len(groups) + 3))
    query = f"""
        SELECT {keys}, sum(count) FROM analytics_hourlycount
        WHERE organization_id = %(organization)s AND hour >= %(start)s AND hour < %(end)s
          AND mode = %(mode)s AND count <> 0
          {"AND channel = %(channel)s" if question.channel else ""}
          {"AND template_code = %(template_code)s" if question.template_code else ""}
        GROUP BY {numbers} ORDER BY {numbers} LIMIT {ROWS_MOST + 1}
    """  # noqa: S608  our own columns
    values = {
        "bucket": question.bucket.value,
        "organization": question.organization,
        "start": question.start,
        "end": question.end,
        "mode": question.mode,
        "channel": question.channel,
        "template_code": question.template_code,
    }
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        rows = cursor.fetchall()
    if len(rows) > ROWS_MOST:
        raise TooMuch
    answer = Answer()
    for start, *names, status, latency, count in rows:
        group = tuple(names)
        found = [answer.totals, answer.series.setdefault((start, group), Counts())]
        if groups:
            found.append(answer.groups.setdefault(group, Counts()))
        for counts in found:
            counts.add(status, latency, int(count))
    return answer


def month_counts(
    organization: UUID, mode: str, start: datetime, end: datetime
) -> dict[str, dict[str, int]]:
    """How many were accepted from `start` to before `end`, by channel and today's status."""
    question = Question(
        organization=organization,
        start=start,
        end=end,
        bucket=Bucket.DAY,
        mode=mode,
        group_by=(GroupBy.CHANNEL,),
    )
    groups = answer_question(question).groups
    return {channel: dict(counts.by_status) for (channel,), counts in groups.items()}
