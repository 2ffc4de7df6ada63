"""`python -m tests.end_to_end.faults.crashing_worker`: an email worker that one job kills.

What a defect in a C library, or the kernel's hunger for memory, does to a process.
"""

import os
import signal
import sys

from carillon.contracts.messages import DeliveryJob, EmailContent
from carillon.contracts.provider import Acceptance
from carillon.settings import Environment
from carillon.worker.main import run
from email_worker.__main__ import THREADS
from email_worker.providers.smtp import SMTPProvider

CRASH = "this-kills-its-worker"


class CrashingProvider:
    """SMTP, but for mails that say CRASH."""

    name = SMTPProvider.name
    receipts = SMTPProvider.receipts
    capabilities = SMTPProvider.capabilities

    def __init__(self, smtp: SMTPProvider) -> None:
        self._smtp = smtp

    @classmethod
    def from_environment(cls, env: Environment) -> "CrashingProvider":
        """The settings of SMTP."""
        return cls(SMTPProvider.from_environment(env))

    def send(self, job: DeliveryJob) -> Acceptance:
        """As SMTP does, if at all."""
        if isinstance(job.content, EmailContent) and CRASH in job.content.body:
            os.kill(os.getpid(), signal.SIGKILL)
        return self._smtp.send(job)

    def close(self) -> None:
        """Close the connections."""
        self._smtp.close()


if __name__ == "__main__":
    registry = {"email": {CrashingProvider.name: CrashingProvider.from_environment}}
    sys.exit(run("email_worker", registry, threads=THREADS))
