"""Thousands of notifications in their queues at once, as if clients had asked for each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from carillon.broker import topology
from carillon.contracts import ids
from carillon.contracts.lanes import Lane
from tests.end_to_end.faults import evidence
from tests.end_to_end.stack import VARIABLES, Tenant, eventually

EMAIL = "email"
TEMPLATE = "lanes"
QUEUES: Mapping[Lane, str] = {lane: topology.queue_for(EMAIL, lane) for lane in Lane}
PUBLISH_TIMEOUT = 300.0  # seconds

# Copies of one row with all of its columns, whichever there are.
_COPY_NOTIFICATIONS = """
    INSERT INTO notifications_notification
    SELECT (jsonb_populate_record(n, jsonb_build_object(
        'id', gen_random_uuid(), 'request_id', 'flood-' || gen_random_uuid()
    ))).*
    FROM notifications_notification n, generate_series(1, %(count)s) WHERE n.id = %(seed)s
    RETURNING id
"""
_COPY_CONTENTS = """
    INSERT INTO notifications_notificationcontent
    SELECT (jsonb_populate_record(c, jsonb_build_object('notification_id', new.id))).*
    FROM notifications_notificationcontent c, unnest(%(ids)s::uuid[]) AS new (id)
    WHERE c.notification_id = %(seed)s
"""
_UNPUBLISHED = """
    SELECT count(*) FROM outbox_outboxmessage o
    JOIN notifications_notification n ON n.id = o.notification_id WHERE n.organization_id = %s
"""
_COPY_PROMISES = """
    INSERT INTO outbox_outboxmessage
    SELECT (jsonb_populate_record(o, jsonb_build_object('notification_id', new.id))).*
    FROM outbox_outboxmessage o, unnest(%(ids)s::uuid[]) AS new (id)
    WHERE o.notification_id = %(seed)s
"""


@dataclass(frozen=True)
class Crowd:
    """So many notifications of one priority, and the lane that it leads to."""

    lane: Lane
    priority: int
    count: int


def query(tenant: Tenant, text: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Rows of the gateway's database."""
    with psycopg.connect(tenant.stack.settings["DATABASE_URL"], dbname="gateway") as connection:
        return connection.execute(text.encode(), parameters).fetchall()


def depth(tenant: Tenant, lane: Lane) -> int:
    """Jobs in a lane's queue that no worker has taken."""
    queue = QUEUES[lane]
    return evidence.depths(tenant.stack.settings["RABBITMQ_URL"], (queue,))[queue]


def queue_up(tenant: Tenant, address: str, crowds: Sequence[Crowd]) -> list[set[str]]:
    """Stop the email worker and fill its queues, in this order; each crowd's ids."""
    platform = tenant.stack.platform
    platform.stop("email_worker")
    platform.stop("relay")
    made = []
    for crowd in crowds:
        seed = accept(tenant, address, crowd.priority)
        made.append({seed, *copies(tenant, seed, crowd.count - 1)})
    platform.start_process("relay")
    # Not by what the queues hold: somebody else's retries may come into them.
    organization = ids.parse_id(ids.ORGANIZATION, tenant.organization_id)
    eventually(
        lambda: query(tenant, _UNPUBLISHED, organization)[0][0],
        lambda unpublished: bool(unpublished == 0),
        PUBLISH_TIMEOUT,
    )
    return made


def accept(tenant: Tenant, address: str, priority: int) -> str:
    """Ask for one notification as a client does; its id."""
    body = {
        "notification_type": EMAIL,
        "to": address,
        "template_code": TEMPLATE,
        "variables": VARIABLES,
        "priority": priority,
    }
    answer = tenant.call("POST", "/api/v1/notifications/", body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["data"]["notification_id"])


def copies(tenant: Tenant, seed: str, count: int) -> list[str]:
    """Copies of a notification whose outbox row is still there, each with its own; their ids."""
    seed_id = ids.parse_id(ids.NOTIFICATION, seed)
    settings = tenant.stack.settings
    with psycopg.connect(settings["DATABASE_URL"], dbname="gateway") as connection:
        made: list[UUID] = [
            row[0]
            for row in connection.execute(_COPY_NOTIFICATIONS, {"count": count, "seed": seed_id})
        ]
        for copy in (_COPY_CONTENTS, _COPY_PROMISES):
            copied = connection.execute(copy, {"ids": made, "seed": seed_id}).rowcount
            assert copied == count, f"{copied} copies of {count}"
    return [ids.format_id(ids.NOTIFICATION, each) for each in made]
