"""A WhatsApp message whose template falls back on an SMS, and what may become of both."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carillon.contracts import ids
from carillon.contracts.messages import Outcome
from carillon.contracts.records import FallbackRule, UserRecord
from gateway.deliveries.services.events import apply_events
from gateway.deliveries.services.missing_receipts import send_elsewhere
from gateway.deliveries.services.reading import ReadEvent
from gateway.fallbacks.models import Fallback
from gateway.fallbacks.timer import FallbackSender
from gateway.notifications.models import Notification
from gateway.outbox.database import Connection, connect
from gateway.tests.calls import NOTIFICATIONS, Answer
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_event
from gateway.tests.policies import POLICIES
from gateway.tests.records import make_template, make_user, make_version

PROVIDERS = {"whatsapp": ("twilio", "meta"), "email": ("sendgrid", "smtp"), "sms": ("twilio",)}
RULE = FallbackRule(channel="sms", template_code="order_sms")
ASKED: dict[str, Any] = {
    "notification_type": "whatsapp",
    "template_code": "order_whatsapp",
    "variables": {"name": "Ada"},
    "metadata": {"order": 4711},
}


def text(content: str, **fields: Any) -> Any:
    return make_version(subject="", html_content="", content=content, **fields)


@dataclass
class Shop:
    """A tenant that sends ASKED to its user, and the events process's work done by hand."""

    tenant: Tenant
    session: Connection
    user: UserRecord

    def template(self, code: str = "order_whatsapp", **fields: Any) -> None:
        """Another record of a template, as after a publish."""
        fields = {
            "type": "whatsapp",
            "languages": {"en": text("Hi {{ name }} on WhatsApp")},
            "expect_receipt_within": 60,
            "fallback": RULE,
            **fields,
        }
        self.tenant.templates.add_template(self.tenant.id, make_template(code, **fields))
        self.tenant.templates._cache.write(
            self.tenant.id,
            [code],
            self.tenant.templates.records[self.tenant.id, code],  # type: ignore[arg-type]
        )

    def ask(self, **fields: Any) -> Answer:
        return self.tenant.api.send({**ASKED, "user_id": self.user.user_id, **fields})

    def accepted(self, **fields: Any) -> Notification:
        answer = self.ask(**fields)
        assert answer.status == 202, answer.body
        return Notification.objects.get(pk=answer.data["notification_id"])

    def told(self, notification: Notification, outcome: Outcome, **fields: Any) -> None:
        """A worker, or a receipt, says so."""
        said = {"provider": "twilio", "provider_message_id": "SM1", **fields}
        event = make_event(notification, outcome, **said)
        found = ids.parse_id(ids.NOTIFICATION, notification.pk)
        assert found is not None
        apply_events(self.session, [ReadEvent(found, event)], POLICIES)

    def missed(self, **fields: Any) -> Notification:
        """It was sent, a minute passed, and no receipt came: its fallback is promised."""
        notification = self.accepted(**fields)
        self.told(notification, Outcome.SENT)
        self.watch(seconds=61)
        assert Fallback.objects.filter(pk=notification.pk, status="pending").exists()
        return notification

    def watch(self, *, seconds: float = 0) -> Any:
        now = datetime.now(UTC) + timedelta(seconds=seconds)
        return send_elsewhere(self.session, PROVIDERS, now=now)

    def work(self) -> None:
        """One look of the timer, at all that is not settled."""
        Fallback.objects.filter(due_at__gt=datetime.now(UTC)).update(due_at=datetime.now(UTC))
        FallbackSender().look(self.session)

    def detail(self, notification_id: str) -> dict[str, Any]:
        answer = self.tenant.api.get(f"{NOTIFICATIONS}{notification_id}/")
        assert answer.status == 200, answer.body
        data: dict[str, Any] = answer.data
        return data

    def fallback(self, notification: Notification) -> dict[str, Any]:
        """As the API shows it."""
        found: dict[str, Any] = self.detail(str(notification.pk))["fallback"]
        return found


@pytest.fixture
def shop(committed_tenant: Tenant) -> Iterator[Shop]:
    tenant = committed_tenant
    user = tenant.users.add_user(tenant.id, make_user(timezone="UTC"))
    with connect("events", idle_in_transaction=30) as session:
        made = Shop(tenant, session, user)
        made.template()
        made.template(
            "order_sms",
            type="sms",
            languages={"en": text("Hi {{ name }} by SMS")},
            expect_receipt_within=0,
            fallback=None,
        )
        yield made


Change = Callable[[Shop], object]
