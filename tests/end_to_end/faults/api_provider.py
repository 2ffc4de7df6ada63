"""A second provider beside the SMTP server: SendGrid's API, as far as the platform uses it."""

import time
from dataclasses import dataclass

from carillon.testing.http_double import HTTPDouble, Reply, Request
from tests.end_to_end.faults.provider import NAMELESS, Provider

UNAVAILABLE = 503
LIMITED = 429


@dataclass(frozen=True)
class Call:
    """When a call came, by the monotonic clock, and how it was answered."""

    at: float
    status: int


class APIProvider(HTTPDouble):
    """Accepts every mail, in the witness's ledger, unless it is in `trouble`."""

    def __init__(self, witness: Provider) -> None:
        super().__init__(self._answer)
        self._witness = witness
        self.trouble: Reply | None = None
        self.calls: list[Call] = []

    def settings(self, *, others: tuple[str, ...] = ()) -> dict[str, str]:
        """What an email worker is told, so that this is its first provider."""
        return {
            "EMAIL_PROVIDERS": ",".join(("sendgrid", *others)),
            "SENDGRID_URL": self.url,
            "SENDGRID_API_KEY": "SG.of-a-double",
            "EMAIL_FROM": "Carillon <notifications@carillon.test>",
        }

    def _answer(self, request: Request) -> Reply:
        # What was accepted takes until it is on disk: others may have been refused meanwhile.
        came = time.monotonic()
        reply = self.trouble or self._accept(request)
        self.calls.append(Call(came, reply.status))
        return reply

    def _accept(self, request: Request) -> Reply:
        notification_id = request.json["custom_args"].get("notification_id") or NAMELESS
        self._witness.write_down(notification_id)
        return Reply(202, headers={"X-Message-Id": notification_id}, took=True)
