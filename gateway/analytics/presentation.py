"""Turns counts into what the API shows."""

from typing import Any

from carillon.contracts.status import Status
from gateway.analytics.latency import quantile
from gateway.analytics.selectors import Answer, Counts, Group, Question
from gateway.analytics.shapes import (
    AnalyticsShape,
    CountsShape,
    DeliveryTimeShape,
    GroupShape,
    PointShape,
)

# Meant to arrive, and known whether they did. Rejected and cancelled ones somebody did not want.
_MEANT = (Status.DELIVERED, Status.FAILED, Status.BOUNCED, Status.EXPIRED)


def show_answer(question: Question, answer: Answer) -> AnalyticsShape:
    """The largest groups first, the series in the order of time."""
    largest = sorted(answer.groups.items(), key=lambda item: (-_total(item[1]), item[0]))
    return AnalyticsShape(
        start=question.start,
        end=question.end,
        bucket=question.bucket.value,
        mode=question.mode,
        totals=CountsShape(**_counts(answer.totals)),
        groups=[
            GroupShape(**_counts(counts), **_named(question, group)) for group, counts in largest
        ],
        series=[
            PointShape(start=start, **_counts(counts), **_named(question, group))
            for (start, group), counts in answer.series.items()
        ],
    )


def _named(question: Question, group: Group) -> dict[str, Any]:
    names = [group_by.value for group_by in question.group_by]
    return dict(zip(names, group, strict=True))


def _total(counts: Counts) -> int:
    return sum(counts.by_status.values())


def _counts(counts: Counts) -> dict[str, Any]:
    meant = sum(counts.by_status[status.value] for status in _MEANT)
    delivered = counts.by_status[Status.DELIVERED.value]
    return {
        "total": _total(counts),
        "by_status": {s.value: n for s in Status if (n := counts.by_status.get(s.value, 0))},
        "delivery_rate": round(delivered / meant, 4) if meant else None,
        "time_to_delivery": _time_to_delivery(counts),
    }


def _time_to_delivery(counts: Counts) -> DeliveryTimeShape | None:
    median, p95 = quantile(counts.latencies, 0.5), quantile(counts.latencies, 0.95)
    if median is None or p95 is None:
        return None
    return DeliveryTimeShape(
        count=sum(counts.latencies.values()),
        median_seconds=round(median, 4),
        p95_seconds=round(p95, 4),
    )
