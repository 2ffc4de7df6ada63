"""Work that the events process does on a timer, beside the consumer of events."""

import threading
from types import TracebackType

import psycopg
import structlog

from gateway.outbox.database import Connection, Session

log = structlog.get_logger(__name__)

IDLE_IN_TRANSACTION = 30.0
STOP_SECONDS = 5.0


class Timer:
    """A thread that calls `look` every `interval` seconds, while inside the `with` block.

    An outage of the database costs one look. A subclass says what to do.
    """

    name = "timer"
    # Whether it looks so often that a connection is worth keeping.
    keeps_connection = False
    # Of its session: `connect`'s.
    options = ""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._stop = threading.Event()
        self._session = Session(
            self.name, idle_in_transaction=IDLE_IN_TRANSACTION, options=self.options
        )
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    def look(self, connection: Connection) -> None:
        """Do what is due; several batches, until `stopping`. May raise psycopg.Error."""
        raise NotImplementedError

    @property
    def stopping(self) -> bool:
        """Whether to leave the rest to the next process."""
        return self._stop.is_set()

    def __enter__(self) -> "Timer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=STOP_SECONDS)

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self.look(self._session.connection())
            except psycopg.Error as error:
                log.warning("timer failed; it tries again", timer=self.name, error=repr(error))
                self._session.drop()
            if not self.keeps_connection:
                # It would only take a place between two looks.
                self._session.drop()
        self._session.drop()
