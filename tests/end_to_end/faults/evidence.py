"""What became of the notifications: in the gateway's database and in RabbitMQ's queues."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from carillon.broker import topology
from carillon.broker.visit import Visit
from carillon.contracts import ids
from carillon.contracts.status import ENDS, Status
from tests.end_to_end.faults.arena import Arena

EMAIL = "email"
RESTING = (topology.dead_queue_for(EMAIL), topology.PARKED_EVENTS_QUEUE)
WORKING = tuple(queue.name for queue in topology.queues() if queue.name not in RESTING)
COLUMNS = ("-p", "carillon", "--no-table-headers", "name", "messages")
VISIT_TIMEOUT = 60.0  # seconds

_ENDS = [status.value for status in ENDS]

# `flagged`: an attempt is marked as a possible duplicate. `proven`: an attempt says how it ended.
_RECORDS = """
    SELECT n.id, n.status, n.reason,
           coalesce(bool_or(a.possible_duplicate), false),
           coalesce(bool_or(a.outcome = n.status), false)
    FROM notifications_notification n
    LEFT JOIN deliveries_deliveryattempt a ON a.notification_id = n.id
    WHERE n.template_code = %s
    GROUP BY n.id
"""
_ENDED = """
    SELECT count(*) FROM notifications_notification WHERE template_code = %s AND status = ANY(%s)
"""
_IN_OUTBOX = """
    SELECT count(*) FROM outbox_outboxmessage o
    JOIN notifications_notification n ON n.id = o.notification_id WHERE n.template_code = %s
"""


@dataclass(frozen=True)
class Record:
    """A notification as the database has it in the end."""

    status: Status
    reason: str
    flagged: bool
    proven: bool


def records(arena: Arena, code: str) -> dict[str, Record]:
    """Every notification of a template, by its id."""
    return {
        ids.format_id(ids.NOTIFICATION, row[0]): Record(Status(row[1]), row[2], row[3], row[4])
        for row in _query(arena, _RECORDS, code)
    }


def settled(arena: Arena, code: str, count: int, timeout: float) -> bool:
    """Whether `count` notifications have ended, and nothing of them is left to be published."""

    def done() -> bool:
        ((ended,),) = _query(arena, _ENDED, code, _ENDS)
        ((waiting,),) = _query(arena, _IN_OUTBOX, code)
        return int(ended) >= count and int(waiting) == 0

    return arena.wait_until(done, timeout)


def quiet(arena: Arena, timeout: float) -> bool:
    """Whether no queue has a message that waits for a worker or for the events process."""
    return arena.wait_until(lambda: not any(depths(arena.rabbitmq.url, WORKING).values()), timeout)


def unfinished(arena: Arena) -> int:
    """Messages in the working queues, those included that somebody holds; asks RabbitMQ itself."""
    listed = arena.rabbitmq.control("list_queues", *COLUMNS)
    found = dict(line.split() for line in listed.splitlines())
    return sum(int(found[name]) for name in WORKING)


def depths(url: str, queues: tuple[str, ...]) -> Counter[str]:
    """How many messages wait in each queue; what somebody holds is not counted."""
    found: Counter[str] = Counter()

    def ask(channel: Any, done: Callable[[], None]) -> None:
        def answer(frame: Any) -> None:
            found[frame.method.queue] = frame.method.message_count
            if len(found) == len(queues):
                done()

        for queue in queues:
            channel.queue_declare(queue, passive=True, callback=answer)

    _visit(url, ask)
    return found


def delete(arena: Arena, queue: str) -> None:
    """Delete a queue with all that is in it."""
    _visit(
        arena.rabbitmq.url,
        lambda channel, done: channel.queue_delete(queue, callback=lambda _frame: done()),
    )


def purge(arena: Arena, queue: str) -> None:
    """Forget what waits in a queue."""
    _visit(
        arena.rabbitmq.url,
        lambda channel, done: channel.queue_purge(queue, callback=lambda _frame: done()),
    )


def _visit(url: str, use: Callable[[Any, Callable[[], None]], None]) -> None:
    def connected(connection: Any, visit: Visit) -> None:
        connection.channel(on_open_callback=lambda channel: use(channel, visit.succeed))

    Visit(url, "chaos", VISIT_TIMEOUT).run(connected)


def _query(arena: Arena, text: str, *parameters: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(arena.postgres.url, dbname="gateway") as connection:
        return connection.execute(text.encode(), parameters).fetchall()
