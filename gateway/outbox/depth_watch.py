"""Keeps the outbox's gauges current, beside the relay and without slowing it down."""

import threading
import time
from types import TracebackType

import psycopg
import structlog

from gateway.outbox import metrics
from gateway.outbox.database import Session
from gateway.outbox.selectors import depth_by_lane

log = structlog.get_logger(__name__)

# Counting takes at most this share of the time: a huge outbox is counted less often.
SHARE = 0.05


class DepthWatch:
    """A thread that measures the depth every `interval` seconds, while inside the `with` block."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._stop = threading.Event()
        self._session = Session("relay-depth", idle_in_transaction=30.0)
        self._thread = threading.Thread(target=self._run, name="outbox-depth", daemon=True)

    def __enter__(self) -> "DepthWatch":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            began = time.monotonic()
            try:
                self._measure()
            except psycopg.Error as error:
                # The last values stay: the relay itself tells of the outage.
                log.debug("the outbox could not be counted", error=repr(error))
                self._session.drop()
            pause = max(self._interval, (time.monotonic() - began) / SHARE)
        self._session.drop()

    def _measure(self) -> None:
        for lane, depth in depth_by_lane(self._session.connection()).items():
            metrics.DEPTH.labels(lane.value, "due").set(depth.due)
            metrics.DEPTH.labels(lane.value, "scheduled").set(depth.scheduled)
            metrics.OLDEST_DUE.labels(lane.value).set(depth.oldest_due_age)
