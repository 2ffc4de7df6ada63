"""`python -m carillon.worker.tests.process`: a worker of its own process, to be killed.

Its provider writes a line to LEDGER, fsynced, when it is called and when it has accepted: what a
provider knows of us, whatever becomes of the process. The content tells it what to do; of a push
to several devices, to the second of them.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from carillon.contracts.messages import DeliveryJob, EmailContent, PushContent
from carillon.contracts.provider import Acceptance, Capabilities
from carillon.errors import DeliveryFailure
from carillon.settings import Environment
from carillon.worker import redis_link
from carillon.worker.main import run

CRASH = "crash"
HOLD = "hold"
SECOND_DEVICE = "device_b"
# Bytes. Lines of one length that divides a page's: kill -9 tears a write where it crosses pages.
LINE = 128


class LedgerProvider:
    """Accepts after `DELAY` seconds; crashes the process or waits for a file where it is told."""

    name = "ledger"
    receipts = False
    capabilities = Capabilities()

    def __init__(self, ledger: Path, delay: float) -> None:
        self._file = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._gate = ledger.with_suffix(".open")
        self._delay = delay

    @classmethod
    def from_environment(cls, env: Environment) -> "LedgerProvider":
        return cls(Path(env.text("LEDGER")), env.number("DELAY", 0.0))

    def send(self, job: DeliveryJob) -> Acceptance:
        self._write("called", job)
        wish = _wish(job)
        if wish == CRASH:
            os._exit(1)
        while wish == HOLD and not self._gate.exists():
            time.sleep(0.01)
        time.sleep(self._delay)
        self._write("accepted", job)
        return Acceptance(job.message_id)

    def close(self) -> None:
        os.close(self._file)

    def _write(self, what: str, job: DeliveryJob) -> None:
        device = job.addresses[0].device_id
        name = f"{job.message_id}/{device}" if device else job.message_id
        line = f"{what} {name}".ljust(LINE - 1) + "\n"
        assert len(line) == LINE
        os.write(self._file, line.encode())
        os.fsync(self._file)


class TurnLedgerProvider(LedgerProvider):
    """The same, for several jobs at once."""

    def send_in_turn(self, jobs: Sequence[DeliveryJob]) -> Iterator[Acceptance | DeliveryFailure]:
        for job in jobs:
            yield self.send(job)


def _wish(job: DeliveryJob) -> str:
    if isinstance(job.content, PushContent):
        return job.content.title if job.addresses[0].device_id == SECOND_DEVICE else ""
    assert isinstance(job.content, EmailContent)
    return job.content.subject


if __name__ == "__main__":
    # None of its tests is about a Redis that is away: a busy one is waited for.
    redis_link.TIMEOUT_SECONDS = 60.0
    kind = TurnLedgerProvider if "TURNS" in os.environ else LedgerProvider
    providers = {kind.name: kind.from_environment}
    worker = os.environ.get("WORKER", "email_worker")
    sys.exit(run(worker, {"email": providers, "push": providers}, threads=6))
