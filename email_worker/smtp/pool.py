"""Sessions kept open between mails: taken by a thread, given back, given up when old."""

import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass

from carillon.worker import metrics
from email_worker.smtp.opening import Server
from email_worker.smtp.session import Session

NAME = "smtp"


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a session is given up: after so many mails, seconds of age, or seconds of idleness."""

    mails: int = 500
    age: float = 300.0
    idle: float = 30.0


class SessionPool:
    """At most one session a thread is in use; the last one used is the first one taken."""

    def __init__(self, server: Server, lifetime: Lifetime, tls: ssl.SSLContext | None) -> None:
        self._server = server
        self._lifetime = lifetime
        self._tls = tls
        self._idle: deque[Session] = deque()
        self._guard = threading.Lock()

    def take(self) -> Session | None:
        """An open session that is not known to be dead, or None: then `open` one."""
        while True:
            with self._guard:
                if not self._idle:
                    return None
                session = self._idle.pop()
            if not self._is_old(session) and not session.stale:
                return session
            session.close()

    def open(self, *, again: bool = False) -> Session:
        """A new session. Raises TemporaryFailure or PermanentFailure."""
        session = Session(self._server, self._tls)
        metrics.PROVIDER_CONNECTS.labels(NAME, "again" if again else "new").inc()
        return session

    def room_of(self, session: Session) -> int:
        """How many more mails it may take, at least 1."""
        return max(1, self._lifetime.mails - session.mails)

    def give_back(self, session: Session) -> None:
        """Keep the session for the next mail, if it can be used again."""
        if not session.usable or self._is_old(session):
            session.close()
            return
        with self._guard:
            self._idle.append(session)
            oldest = self._idle[0]
            if oldest is session or not self._is_old(oldest):
                return
            self._idle.popleft()
        oldest.close()

    def close(self) -> None:
        """Close every idle session."""
        with self._guard:
            sessions, self._idle = list(self._idle), deque()
        for session in sessions:
            session.close()

    def _is_old(self, session: Session) -> bool:
        now = time.monotonic()
        return (
            session.mails >= self._lifetime.mails
            or now - session.opened_at >= self._lifetime.age
            or now - session.used_at >= self._lifetime.idle
        )
