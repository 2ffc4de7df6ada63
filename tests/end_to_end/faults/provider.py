"""A provider that writes down every acceptance before it answers: the witness of each test.

SMTP by hand rather than by a library: it must keep up with the platform, and fail on demand.
"""

import asyncio
import os
import threading
import time
from collections import defaultdict
from enum import Enum
from pathlib import Path
from types import TracebackType

HEADER = b"x-notification-id:"
NAMELESS = "without-an-id"

# Seconds: what a slow provider takes at least, and how often the mood is looked at.
QUICK = 0.05
MOOD_POLL = 0.1


class Mood(Enum):
    """How the provider behaves from now on."""

    ACCEPT = "accepts"
    SLOW = "takes its time for each message"
    BUSY = "says 451 to every message"
    FICKLE = "says 451 to every second message"
    REFUSE_CONNECTIONS = "closes every connection"
    SILENT = "takes every message and answers nothing"


class Provider:
    """An SMTP server on a free loopback port, in a thread of its own.

    A message counts as accepted when its notification's id is in `ledger`, fsynced (unless not
    `durable`, for speed); only then does the client hear 250, if it hears anything. `slowness` is
    in seconds.
    """

    def __init__(self, ledger: Path, *, durable: bool = True) -> None:
        self.mood = Mood.ACCEPT
        self.slowness = QUICK
        self.port = 0
        self._durable = durable
        self._seen = 0
        # When each notification was last accepted: quick to look at, and no ledger.
        self.latest: dict[str, float] = {}
        self._path = ledger
        self._ledger = os.open(ledger, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="provider", daemon=True)

    def accepted(self) -> dict[str, list[float]]:
        """When each notification was accepted, in Unix time; more than once: duplicates."""
        times: defaultdict[str, list[float]] = defaultdict(list)
        for line in self._path.read_text().splitlines():
            notification_id, at = line.split()
            times[notification_id].append(float(at))
        return times

    def write_down(self, notification_id: str) -> None:
        """It is accepted now; for any thread."""
        now = time.time()
        # One write of a short line to a file opened for appending is not torn.
        os.write(self._ledger, f"{notification_id} {now:.6f}\n".encode())
        if self._durable:
            os.fsync(self._ledger)
        self.latest[notification_id] = now

    def __enter__(self) -> "Provider":
        self._thread.start()
        self._ready.wait(60)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        os.close(self._ledger)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._session, "127.0.0.1", 0, limit=2**20)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        try:
            self._loop.run_forever()
        finally:
            server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.mood is not Mood.REFUSE_CONNECTIONS:
                await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # A client that was killed, or a link that was cut: what these tests are about.
            pass
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 witness\r\n")
        while line := await reader.readline():
            verb = line[:4].upper().rstrip()
            if self.mood is Mood.REFUSE_CONNECTIONS:
                return
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                message = await reader.readuntil(b"\r\n.\r\n")
                writer.write(await self._take(message))
            elif verb == b"EHLO":
                writer.write(b"250-witness\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
            elif verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                return
            else:
                writer.write(b"250 fine\r\n")
            await writer.drain()

    async def _take(self, message: bytes) -> bytes:
        self._seen += 1
        if self.mood is Mood.BUSY or (self.mood is Mood.FICKLE and self._seen % 2):
            return b"451 4.3.2 try later\r\n"
        if self.mood is Mood.SLOW:
            await asyncio.sleep(self.slowness)
        self.write_down(_notification_id(message))
        while self.mood is Mood.SILENT:
            await asyncio.sleep(MOOD_POLL)
        return b"250 2.0.0 accepted\r\n"


def _notification_id(message: bytes) -> str:
    for line in message.split(b"\r\n\r\n", 1)[0].split(b"\r\n"):
        if line.lower().startswith(HEADER):
            return line[len(HEADER) :].decode().strip() or NAMELESS
    return NAMELESS
