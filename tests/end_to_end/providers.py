"""A platform whose texts go to Twilio and whose pushes go to Google, both of them doubles."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carillon.testing.http_double import HTTPDouble
from push_worker.tests.google import Google, key_file, refusal
from sms_worker.tests.twilio import SID, TOKEN, messages
from tests.end_to_end.faults.arena import arena
from tests.end_to_end.stack import Tenant, eventually

CALLBACKS = "/callbacks/twilio/"
DEAD = "token-of-a-phone-that-is-gone"


@dataclass
class World:
    """A tenant of that platform, and what the providers were asked."""

    tenant: Tenant
    twilio: HTTPDouble
    google: HTTPDouble

    def texts(self, number: str) -> list[dict[str, str]]:
        """What Twilio was asked to send to a number, by SMS or WhatsApp."""
        forms = [request.form for request in self.twilio.requests]
        return [form for form in forms if form["To"].endswith(number)]

    def detail(self, notification_id: str) -> dict[str, Any]:
        """A notification with its attempts."""
        answer = self.tenant.call("GET", f"/api/v1/notifications/{notification_id}/")
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    def fallen_back(self, notification_id: str) -> dict[str, Any]:
        """Its detail, once its fallback has left the platform."""
        seen: dict[str, Any] = eventually(
            lambda: self.detail(notification_id),
            lambda data: (data["fallback"] or {}).get("notification_status") == "sent",
        )
        return seen


@contextmanager
def providers_world(folder: Path) -> Iterator[World]:
    """Twilio first, and the console in its place; a phone with the token DEAD is gone."""
    google = Google()
    google.dead[DEAD] = refusal(404, "NOT_FOUND", "UNREGISTERED")
    with (
        HTTPDouble(messages) as twilio,
        HTTPDouble(google.deliver) as fcm,
        HTTPDouble(google.issue) as tokens,
        arena(
            folder,
            for_speed=True,
            SMS_PROVIDERS="twilio,console",
            WHATSAPP_PROVIDERS="twilio,console",
            PUSH_PROVIDERS="fcm",
            TWILIO_ACCOUNT_SID=SID,
            TWILIO_AUTH_TOKEN=TOKEN,
            TWILIO_SMS_FROM="+15005550006",
            TWILIO_WHATSAPP_FROM="+14155238886",
            TWILIO_STATUS_CALLBACK_URL=f"https://notify.example.com{CALLBACKS}",
            TWILIO_URL=twilio.url,
            FCM_URL=fcm.url,
            FCM_SERVICE_ACCOUNT=key_file(token_uri=tokens.url),
        ) as ready,
    ):
        yield World(ready.tenant, twilio, fcm)
