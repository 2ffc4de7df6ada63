"""Counts that reach prometheus_client's mapped files once a second, not one by one.

In its multiprocess mode the client writes each increment into a file, under one lock for all
metrics of the process. Here an increment is an append to a list; a thread adds up what came
together and has the client write that. docs/decisions/0020 says what it is worth.
"""

import atexit
import os
import threading
from typing import Any

import structlog
from prometheus_client import values

log = structlog.get_logger(__name__)

EVERY_SECONDS = 1.0
# Amounts that one value holds at most, before whoever counts has to write them.
MOST_PENDING = 10_000


class DeferredValue:
    """A counter's value, or one of a histogram's or a summary's, in front of the client's own."""

    def __init__(self, written: Any, writer: "Writer") -> None:
        self._written = written
        self._writer = writer
        self._pending: list[float] = []
        writer.add(self)

    def inc(self, amount: float) -> None:
        """Have `amount` written within EVERY_SECONDS. Takes no lock: appending is one step."""
        pending = self._pending
        pending.append(amount)
        if len(pending) >= MOST_PENDING or not self._writer.is_running:
            self._writer.take(self)

    def set(self, value: float, timestamp: float | None = None) -> None:
        """Begin anew with `value`, whatever was counted before."""
        with self._writer.lock:
            self._pending.clear()
            self._written.set(value, timestamp)

    def get(self) -> float:
        """All that this process has counted."""
        with self._writer.lock:
            self.write()
            return float(self._written.get())

    def set_exemplar(self, exemplar: object) -> None:
        """Nothing: the client has no exemplars in several processes."""

    def get_exemplar(self) -> None:
        """There is none."""

    def write(self) -> None:
        """Write what is pending. The writer's lock must be held."""
        pending = self._pending
        # What is appended meanwhile comes after these, and stays.
        if count := len(pending):
            amounts = pending[:count]
            del pending[:count]
            self._written.inc(sum(amounts))

    def forget(self) -> None:
        """Leave what is pending to the process that this one was forked from."""
        self._pending = []


class Writer:
    """Writes what is pending every EVERY_SECONDS, from a thread of the process that counts."""

    def __init__(self) -> None:
        self.is_running = False
        self.lock = threading.Lock()
        self._values: list[DeferredValue] = []
        # Nobody else may be in the middle of writing when this process is copied.
        os.register_at_fork(
            before=lambda: self.lock.acquire(),
            after_in_parent=lambda: self.lock.release(),
            after_in_child=self._begin_anew,
        )

    def add(self, value: DeferredValue) -> None:
        """Write this one, too, from now on."""
        with self.lock:
            self._values.append(value)

    def take(self, value: DeferredValue) -> None:
        """Write one value at once, and see to it that the others are written in time."""
        with self.lock:
            if not self.is_running:
                self._start()
            value.write()

    def write_all(self) -> None:
        """Write everything that is pending in this process."""
        with self.lock:
            for value in self._values:
                value.write()

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # There may be no more threads; until there is one, each amount is written at once.
            return
        self.is_running = True

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(EVERY_SECONDS):
            try:
                self.write_all()
            except Exception:
                # A full disk, say. The next round may go well, and nobody else would begin it.
                log.exception("metrics could not be written")

    def _begin_anew(self) -> None:
        self.is_running = False
        self.lock = threading.Lock()
        for value in self._values:
            value.forget()


_writer: Writer | None = None


def install() -> None:
    """Defer what metrics count that are made from now on; once in a process.

    Gauges are written at once: they are set, and seldom. Without PROMETHEUS_MULTIPROC_DIR there is
    no file to write to, and nothing changes.
    """
    global _writer
    if _writer is not None or "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return
    writer = _writer = Writer()
    # After the last thread that counts: the interpreter waits for those first.
    atexit.register(writer.write_all)
    written_at_once = values.ValueClass

    def value(kind: str, *arguments: Any, **options: Any) -> Any:
        written = written_at_once(kind, *arguments, **options)
        return written if kind == "gauge" else DeferredValue(written, writer)

    values.ValueClass = value


def write_all() -> None:
    """Write what this process has counted, for somebody who is about to read it."""
    if _writer is not None:
        _writer.write_all()
