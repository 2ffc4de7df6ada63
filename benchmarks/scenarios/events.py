"""Applying delivery events, beside one UPDATE for each.

The peer consumes the same events and moves the status of the recipe's rows. Ours also checks that
the status may move, records each attempt, refuses repeats, and counts: one transaction per batch.
"""

import time
import uuid
from datetime import UTC, datetime
from uuid import UUID

import psycopg

from benchmarks.harness import broker
from benchmarks.harness.crowd import fill_outbox
from benchmarks.harness.ground import PEERS_DATABASE, WEB, Ground
from benchmarks.harness.results import Comparison, Result
from benchmarks.harness.rounds import Measured, Side, interleave
from benchmarks.harness.targets import EVENTS_TO_BARE_UPDATE, EVENTS_TO_UPDATE
from carillon.broker import topology
from carillon.contracts import ids
from carillon.contracts.messages import DeliveryEvent, Outcome, encode
from deploy.local.errors import StackError

RATE = "events a second"
OURS, CONSUMER, BARE = "carillon", "consumer, an UPDATE each", "UPDATEs alone"
# An UPDATE for each takes ten times as long: the peers' rate is that of fewer.
FEWER = 4
TIMEOUT = 300.0  # seconds
POLL = 0.02  # seconds
SKIPPED = 0.1

_FINISH = """
    UPDATE notifications_notification SET status = 'delivered' WHERE status <> 'delivered'
"""
_PUBLISHED = "UPDATE notifications_notification SET status = 'queued', queued_at = now()"
_FORGET = "DELETE FROM outbox_outboxmessage"
_VACUUM = "VACUUM ANALYZE notifications_notification, outbox_outboxmessage"
_LEFT = "SELECT count(*) FROM notifications_notification WHERE status = 'queued'"

_FORGET_PEERS = "DELETE FROM recipe_notification"
_PEERS_ROWS = """
    INSERT INTO recipe_notification
        (id, tenant_id, channel, "to", data, status, error_message, created_at, updated_at)
    SELECT id, tenant_id, 'email', 'ada@example.com', '{}', 'queued', '', now(), now()
    FROM unnest(%s::uuid[]) AS made (id), (SELECT tenant_id FROM recipe_tenant LIMIT 1) AS owner
"""
_VACUUM_PEERS = "VACUUM ANALYZE recipe_notification"
_PEERS_LEFT = "SELECT count(*) FROM recipe_notification WHERE status = 'queued'"


def run(ground: Ground) -> Result:
    """Measure the three."""
    count = ground.scale.messages
    few = count // FEWER
    ground.stack  # noqa: B018  starts it
    ground.only(*WEB, "events")
    ground.recipe  # noqa: B018  makes its tables
    file = ground.folder / "notifications"

    def ours() -> Measured:
        ground.only(*WEB)
        made = queued(ground, count)
        publish_events(ground, ground.rabbitmq.url, made)
        ground.only(*WEB, "events")
        return {RATE: applied(ground, "gateway", _LEFT, count)}

    def consumer() -> Measured:
        ground.only(*WEB)
        made = queued_at_recipe(ground, few)
        publish_events(ground, ground.peers_rabbitmq_url, made)
        arguments = ("update_loop.py", topology.EVENTS_QUEUE)
        with ground.peer("update_loop", *arguments):
            return {RATE: applied(ground, PEERS_DATABASE, _PEERS_LEFT, few)}

    def bare() -> Measured:
        ground.only(*WEB)
        made = queued_at_recipe(ground, few)
        file.write_text("\n".join(map(str, made)), encoding="utf-8")
        arguments = ("update_loop.py", "--bare", str(file))
        with ground.peer("update_loop", *arguments):
            return {RATE: applied(ground, PEERS_DATABASE, _PEERS_LEFT, few)}

    sides = [Side(OURS, ours), Side(CONSUMER, consumer), Side(BARE, bare)]
    rounds = interleave(sides, ground.scale.rounds, ground.console)
    return Result(
        scenario="events",
        title=f"Applying {count:,} delivery events",
        rounds=rounds,
        comparisons=(
            Comparison(EVENTS_TO_UPDATE, (OURS, RATE), (CONSUMER, RATE)),
            Comparison(EVENTS_TO_BARE_UPDATE, (OURS, RATE), (BARE, RATE)),
        ),
        notes=(
            f"The peers: {few:,} in each round, one connection, a commit and an ack for each.",
            "UPDATEs alone: the ids are in memory, and there is no RabbitMQ.",
        ),
    )


def queued(ground: Ground, count: int) -> list[UUID]:
    """So many notifications that are with RabbitMQ, and no others."""
    with psycopg.connect(ground.postgres.url, dbname="gateway", autocommit=True) as connection:
        connection.execute(_FINISH.encode())
        made = fill_outbox(ground, count)
        connection.execute(f"{_PUBLISHED} WHERE id = ANY(%s)".encode(), (made,))
        connection.execute(_FORGET.encode())
        connection.execute(_VACUUM.encode())
    return made


def queued_at_recipe(ground: Ground, count: int) -> list[UUID]:
    """The same for the recipe's table."""
    made = [uuid.uuid4() for _ in range(count)]
    with psycopg.connect(ground.postgres.url, dbname=PEERS_DATABASE, autocommit=True) as connection:
        connection.execute(_FORGET_PEERS.encode())
        connection.execute(_PEERS_ROWS.encode(), (made,))
        connection.execute(_VACUUM_PEERS.encode())
    return made


def publish_events(ground: Ground, url: str, notifications: list[UUID]) -> None:
    """A delivered one of each, in an empty queue."""
    now = datetime.now(UTC)
    organization = ground.tenant.organization_id
    events = [
        DeliveryEvent(
            event_id=f"evt_{uuid.uuid4().hex}",
            notification_id=ids.format_id(ids.NOTIFICATION, one),
            attempt=1,
            organization_id=organization,
            correlation_id="corr_benchmark",
            channel="email",
            outcome=Outcome.DELIVERED,
            provider="smtp",
            provider_message_id=f"<{one.hex}@example.com>",
            started_at=now,
            occurred_at=now,
            duration_ms=1.0,
        )
        for one in notifications
    ]
    broker.publish(url, topology.EVENTS_ROUTE, [(each.event_id, encode(each)) for each in events])


def applied(ground: Ground, database: str, left: str, count: int) -> float:
    """Events a second from the first tenth on. Raises StackError where they take too long."""
    deadline = time.monotonic() + TIMEOUT
    first = latest = (time.monotonic(), 0)
    with psycopg.connect(ground.postgres.url, dbname=database, autocommit=True) as connection:
        while time.monotonic() < deadline:
            row = connection.execute(left.encode()).fetchone()
            before, latest = latest, (time.monotonic(), count - (int(row[0]) if row else count))
            if first[1] < count * SKIPPED:
                first = latest
            if latest[1] >= count:
                since = before if first == latest else first
                return (count - since[1]) / (latest[0] - since[0])
            time.sleep(POLL)
    raise StackError(f"{latest[1]:,} of {count:,} events were applied within {TIMEOUT:.0f} s")
