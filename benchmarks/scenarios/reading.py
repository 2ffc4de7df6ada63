"""Listing and analytics, while the table grows to a million notifications.

A page of the list is found by an index and counts come from rollups: neither may take longer
because there is more of it.
"""

import time
from collections.abc import Callable, Mapping, Sequence

import psycopg
import requests

from benchmarks.harness.calls import answered
from benchmarks.harness.crowd import accept_one
from benchmarks.harness.ground import TEMPLATE, WEB, Ground
from benchmarks.harness.results import Comparison, Result
from benchmarks.harness.rounds import Measured, Side, interleave
from benchmarks.harness.targets import READING_GROWTH
from carillon.contracts import ids
from deploy.local.errors import StackError

LIST = "/api/v1/notifications/"
ANALYTICS = "/api/v1/notifications/analytics/"
CALLS: Mapping[str, str] = {
    "newest page": LIST,
    "failed ones of a template": f"{LIST}?status=failed&template_code={TEMPLATE}",
    "a channel without any": f"{LIST}?type=push",
    "analytics": ANALYTICS,
}
FEW = 10_000
SAMPLES = 60  # calls of each kind in a round
QUICK_SAMPLES = 10
CHUNK = 100_000
TIMEOUT = 60.0  # seconds
FOLD_TIMEOUT = 300.0  # seconds

# Copies of one row over the last thirty days, most of them delivered.
_MADE = """
    FROM notifications_notification, LATERAL (
        SELECT now() - random() * interval '30 days' AS at,
               CASE WHEN number %% 50 = 0 THEN 'failed' ELSE 'delivered' END AS state
        FROM generate_series(1, %s) AS number
    ) AS made
    WHERE id = %s
"""
# What is not as in the copied row; every other column is, whichever there are.
_OWN = {
    "id": "gen_random_uuid()",
    "request_id": "'grown-' || gen_random_uuid()",
    "created_at": "at",
    "updated_at": "at",
    "status": "state",
    "delivered_at": "CASE WHEN state = 'delivered' THEN at + interval '2 seconds' END",
}
_COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_name = 'notifications_notification' ORDER BY ordinal_position
"""
_EMPTY = """
    TRUNCATE notifications_notification, notifications_notificationcontent, outbox_outboxmessage,
        deliveries_deliveryattempt, analytics_countchange, analytics_hourlycount CASCADE
"""
_TOTAL = "SELECT count(*) FROM notifications_notification"
_PENDING = "SELECT count(*) FROM analytics_countchange"


def run(ground: Ground) -> Result:
    """Measure a small table, let it grow, and measure again."""
    few = min(FEW, ground.scale.rows // 10)
    ground.stack  # noqa: B018  starts it
    ground.only(*WEB)
    # While nobody who counts holds one of these tables and waits for another.
    ground.execute(_EMPTY)
    ground.only(*WEB, "events")
    seed = accept_one(ground)
    samples = SAMPLES if ground.scale.rounds > 1 else QUICK_SAMPLES
    small, large = f"{few:,} rows", f"{ground.scale.rows:,} rows"
    grow(ground, seed, few)
    rounds = interleave(
        [Side(small, lambda: timed(ground, samples))], ground.scale.rounds, ground.console
    )
    grow(ground, seed, ground.scale.rows)
    later = interleave(
        [Side(large, lambda: timed(ground, samples))], ground.scale.rounds, ground.console
    )
    for (side, metric), spread in later.all().items():
        for value in spread.values:
            rounds.add(side, {metric: value})
    return Result(
        scenario="reading",
        title="Listing and analytics as the table grows",
        rounds=rounds,
        comparisons=[
            Comparison(READING_GROWTH.of(name), (large, _metric(name)), (small, _metric(name)))
            for name in CALLS
        ],
        notes=("The two sizes cannot take turns: a table is first small, then large.",),
    )


def grow(ground: Ground, seed: str, wanted: int) -> None:
    """Until the table has so many rows, and analytics has counted them. Raises StackError."""
    with psycopg.connect(ground.postgres.url, dbname="gateway", autocommit=True) as connection:

        def number(text: str) -> int:
            row = connection.execute(text.encode()).fetchone()
            return int(row[0]) if row else 0

        copy = _copy([str(row[0]) for row in connection.execute(_COLUMNS.encode())])
        with ground.console.step(f"Growing the table to {wanted:,} rows"):
            while (missing := wanted - number(_TOTAL)) > 0:
                chunk = min(CHUNK, missing)
                row = (chunk, ids.parse_id(ids.NOTIFICATION, seed))
                connection.execute(copy, row)
            connection.execute(b"VACUUM ANALYZE notifications_notification")
        with ground.console.step("Waiting until they are counted"):
            wait_until(lambda: number(_PENDING) == 0, FOLD_TIMEOUT)


def _copy(columns: Sequence[str]) -> bytes:
    values = [_OWN.get(column, f'"{column}"') for column in columns]
    names = ", ".join(f'"{column}"' for column in columns)
    into = f"INSERT INTO notifications_notification ({names})"
    return f"{into} SELECT {', '.join(values)} {_MADE}".encode()


def wait_until(done: Callable[[], bool], timeout: float) -> None:
    """Raises StackError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not done():
        if time.monotonic() > deadline:
            raise StackError(f"not counted within {timeout:.0f} s")
        time.sleep(0.1)


def timed(ground: Ground, samples: int) -> Measured:
    """The p95 of each call, in ms, over one connection."""
    found = {}
    with requests.Session() as session:
        session.headers["X-API-Key"] = ground.tenant.key
        for name, path in CALLS.items():
            took = sorted(_call(session, ground.stack.url("gateway", path)) for _ in range(samples))
            found[_metric(name)] = took[int(len(took) * 0.95)]
    return found


def _call(session: requests.Session, url: str) -> float:
    begun = time.monotonic()
    answer = answered(lambda: session.get(url, timeout=TIMEOUT))
    seconds = time.monotonic() - begun
    if answer.status_code != 200:
        raise StackError(f"{url} answered {answer.status_code}: {answer.text}")
    return seconds * 1000


def _metric(name: str) -> str:
    return f"{name}: p95, ms"
