"""`pika_publish.py QUEUE COUNT SIZE WINDOW`: as fast as pika publishes with confirms."""

import os
import sys
from typing import Any

import pika


class Publishing:
    """Keeps `window` messages unconfirmed until `count` are confirmed."""

    def __init__(self, queue: str, count: int, size: int, window: int) -> None:
        self._queue = queue
        self._count = count
        self._window = window
        self._body = b"x" * size
        self._properties = pika.BasicProperties(delivery_mode=2, content_type="application/json")
        self._published = 0
        self._confirmed = 0
        self._channel: Any = None
        parameters = pika.URLParameters(os.environ["PEER_RABBITMQ_URL"])
        self._connection = pika.SelectConnection(parameters, on_open_callback=self._open)

    def run(self) -> None:
        """Until everything is confirmed."""
        self._connection.ioloop.start()

    def _open(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._opened)

    def _opened(self, channel: Any) -> None:
        self._channel = channel
        channel.confirm_delivery(self._on_confirm)
        self._fill()

    def _fill(self) -> None:
        room = self._window - (self._published - self._confirmed)
        for _ in range(min(room, self._count - self._published)):
            self._channel.basic_publish("", self._queue, self._body, self._properties)
            self._published += 1

    def _on_confirm(self, frame: Any) -> None:
        tag = frame.method.delivery_tag
        self._confirmed = tag if frame.method.multiple else self._confirmed + 1
        if self._confirmed >= self._count:
            self._connection.ioloop.stop()
        elif self._published - self._confirmed <= self._window // 2:
            self._fill()


if __name__ == "__main__":
    name, *numbers = sys.argv[1:]
    Publishing(name, *map(int, numbers)).run()
