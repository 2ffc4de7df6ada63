"""`update_loop.py QUEUE`: one UPDATE, one commit and one ack for each delivery event.

`update_loop.py --bare FILE` only updates: the ids come from a file, one a line.
"""

import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

import pika
import psycopg
from psycopg.types.json import Jsonb

PREFETCH = 500
OCCURRED = "2026-01-01T00:00:00Z"
UPDATE = """
    UPDATE recipe_notification
    SET status = 'delivered', provider_response = %s, sent_at = %s, updated_at = now()
    WHERE id = %s
"""


def consume(database: psycopg.Connection[Any], queue: str) -> None:
    """Until it is told to end."""

    def apply(channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        event = json.loads(body)
        notification = uuid.UUID(event["notification_id"].partition("_")[2])
        database.execute(
            UPDATE, (Jsonb({"provider": event["provider"]}), event["occurred_at"], notification)
        )
        channel.basic_ack(method.delivery_tag)

    parameters = pika.URLParameters(os.environ["PEER_RABBITMQ_URL"])
    channel = pika.BlockingConnection(parameters).channel()
    channel.basic_qos(prefetch_count=PREFETCH)
    channel.basic_consume(queue, apply)
    channel.start_consuming()


def update(database: psycopg.Connection[Any], file: Path) -> None:
    """Every id of the file."""
    for line in file.read_text().split():
        database.execute(UPDATE, (Jsonb({"provider": "smtp"}), OCCURRED, uuid.UUID(line)))


if __name__ == "__main__":
    with psycopg.connect(os.environ["PEER_DATABASE_URL"], autocommit=True) as connection:
        if sys.argv[1] == "--bare":
            update(connection, Path(sys.argv[2]))
        else:
            consume(connection, sys.argv[1])
