"""Buckets of times: the same in Python and in PostgreSQL, and quantiles within their bound."""

import math
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from gateway.analytics.latency import (
    BUCKETS,
    LEAST,
    RELATIVE_ERROR,
    bucket_of,
    quantile,
    seconds_of,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
times = st.floats(LEAST, 30 * 86_400.0)


@given(times)
def test_what_stands_for_a_bucket_is_near_all_that_is_in_it(seconds: float) -> None:
    found = seconds_of(bucket_of(seconds))
    assert abs(found - seconds) <= (RELATIVE_ERROR + 1e-9) * seconds


def test_the_bound_is_five_percent() -> None:
    assert RELATIVE_ERROR < 0.05


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(-5, 1), (0, 1), (0.0005, 1), (0.001, 1), (0.00105, 2), (1e12, BUCKETS)]
)
def test_the_ends(seconds: float, bucket: int) -> None:
    assert bucket_of(seconds) == bucket


@given(st.lists(times, min_size=1, max_size=300), st.integers(1, 5))
def test_quantiles_of_merged_buckets_are_within_the_bound(seconds: list[float], parts: int) -> None:
    merged: Counter[int] = Counter()
    for start in range(parts):
        merged += Counter(bucket_of(each) for each in seconds[start::parts])
    for share in (0.5, 0.95):
        true = sorted(seconds)[max(1, math.ceil(share * len(seconds))) - 1]
        found = quantile(merged, share)
        assert found is not None
        assert abs(found - true) <= (RELATIVE_ERROR + 1e-9) * true


def test_nothing_has_no_quantile() -> None:
    assert quantile({}, 0.5) is None


@pytest.mark.integration
@pytest.mark.django_db
def test_postgresql_sorts_into_the_same_buckets() -> None:
    dice = random.Random(3)
    # To the microsecond, as times are stored; the bounds themselves are for rounding to decide.
    sample = [round(math.exp(dice.uniform(-8, 15)), 6) for _ in range(2_000)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT analytics_latency('delivered', %s, NULL, at) FROM unnest(%s::timestamptz[]) at",
            [NOW, [NOW + timedelta(seconds=each) for each in sample]],
        )
        found = [row[0] for row in cursor.fetchall()]
    assert found == [bucket_of(timedelta(seconds=each).total_seconds()) for each in sample]


@pytest.mark.integration
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "scheduled", "delivered", "bucket"),
    [
        ("delivered", None, 1.0, bucket_of(1.0)),
        # Waiting for its time is not waiting for delivery.
        ("delivered", 3_600.0, 3_602.0, bucket_of(2.0)),
        ("delivered", -3_600.0, 2.0, bucket_of(2.0)),
        ("delivered", None, -1.0, 1),
        ("delivered", None, None, 0),
        ("sent", None, 1.0, 0),
    ],
)
def test_what_is_measured(
    status: str, scheduled: float | None, delivered: float | None, bucket: int
) -> None:
    def at(seconds: float | None) -> datetime | None:
        return None if seconds is None else NOW + timedelta(seconds=seconds)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT analytics_latency(%s, %s, %s, %s)", [status, NOW, at(scheduled), at(delivered)]
        )
        assert cursor.fetchone() == (bucket,)
