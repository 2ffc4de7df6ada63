"""No receipt in the time that a template gives it: another provider sends it, once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carillon.contracts.messages import DeliveryJob, Outcome, decode_job
from carillon.contracts.status import Status
from carillon.errors import Reason
from gateway.deliveries.models import DeliveryAttempt
from gateway.deliveries.receipts import ReceiptWatcher
from gateway.deliveries.services.missing_receipts import Missing, send_elsewhere
from gateway.notifications.models import Notification, NotificationContent
from gateway.outbox.database import Connection
from gateway.outbox.models import OutboxMessage
from gateway.outbox.services.window import take_window
from gateway.tests.conftest import Tenant
from gateway.tests.deliveries.conftest import Apply
from gateway.tests.factories import make_event, make_notification, make_provider_account
from gateway.tests.rabbitmq import eventually
from gateway.tests.records import make_template, make_user

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

PROVIDERS = {"email": ("sendgrid", "smtp"), "sms": ("twilio",)}


def sent(apply: Apply, *, within: int = 60, **fields: Any) -> Notification:
    """Accepted by the first provider a moment ago."""
    notification = make_notification(status=Status.QUEUED, expect_receipt_within=within, **fields)
    apply(event(notification))
    notification.refresh_from_db()
    return notification


def event(notification: Notification, outcome: Outcome = Outcome.SENT, **fields: Any) -> Any:
    said = {"provider": "sendgrid", "provider_message_id": "sg-1", **fields}
    return make_event(notification, outcome, **said)


def look(session: Connection, *, seconds: float = 61) -> Missing:
    return send_elsewhere(session, PROVIDERS, now=datetime.now(UTC) + timedelta(seconds=seconds))


def job_of(session: Connection) -> DeliveryJob:
    """What the relay hands on."""
    window = take_window(session, most=10, now=datetime.now(UTC))
    (message,) = window.messages
    session.rollback()
    return decode_job(message.body)


def test_it_waits_for_as_long_as_the_template_says(apply: Apply, session: Connection) -> None:
    notification = sent(apply)
    assert notification.sent_at is not None
    assert notification.receipt_due_at == notification.sent_at + timedelta(seconds=60)
    assert look(session, seconds=55) == Missing()
    assert look(session) == Missing(("email",))
    notification.refresh_from_db()
    assert (notification.status, notification.attempt) == (Status.RETRYING, 2)
    assert notification.reason == "timed_out"
    assert Notification.objects.filter(receipt_due_at=None, expect_receipt_within=0).exists()
    assert OutboxMessage.objects.get().attempt == 2
    assert look(session) == Missing()


def test_another_provider_is_to_send_it_and_only_once(apply: Apply, session: Connection) -> None:
    notification = sent(apply)
    look(session)
    OutboxMessage.objects.update(available_at=datetime.now(UTC))
    assert job_of(session).avoid == ("sendgrid",)
    notification.refresh_from_db()
    apply(event(notification, attempt=2, provider="mailgun", provider_message_id="mg-1"))
    notification.refresh_from_db()
    assert (notification.status, notification.provider) == (Status.SENT, "mailgun")
    assert notification.receipt_due_at is None
    assert OutboxMessage.objects.count() == 0
    assert look(session, seconds=9_999) == Missing()


@pytest.mark.parametrize(
    ("own", "stands_in", "goes"),
    [
        (("sendgrid",), False, False),  # the one account would send it again
        (("sendgrid", "sendgrid"), False, False),  # whom to avoid is told by name
        (("sendgrid", "postmark"), False, True),
        (("sendgrid",), True, True),
    ],
)
def test_an_organization_with_accounts_has_their_providers_alone(
    apply: Apply, session: Connection, own: tuple[str, ...], stands_in: bool, goes: bool
) -> None:
    notification = sent(apply)
    organization = notification.organization
    for provider in own:
        make_provider_account(organization, provider=provider)
    # Neither of these is asked: another channel's, an inactive one, another organization's.
    make_provider_account(organization, channel="sms", provider="twilio")
    make_provider_account(organization, provider="mailgun", is_active=False)
    make_provider_account(provider="brevo")
    organization.platform_stand_ins = ["email"] if stands_in else ["sms"]
    organization.save()
    assert look(session) == (Missing(("email",)) if goes else Missing((), ("email",)))
    notification.refresh_from_db()
    assert notification.status == (Status.RETRYING if goes else Status.SENT)


@pytest.mark.parametrize("outcome", [Outcome.DELIVERED, Outcome.BOUNCED])
def test_a_receipt_in_time_ends_the_wait(
    outcome: Outcome, apply: Apply, session: Connection
) -> None:
    notification = sent(apply)
    apply(event(notification, outcome, reason=Reason.OTHER))
    notification.refresh_from_db()
    assert notification.receipt_due_at is None
    assert look(session) == Missing()


def test_a_late_receipt_takes_the_row_out_of_the_outbox(apply: Apply, session: Connection) -> None:
    notification = sent(apply)
    look(session)
    assert OutboxMessage.objects.count() == 1
    apply(event(notification, Outcome.DELIVERED))
    notification.refresh_from_db()
    assert notification.status == Status.DELIVERED
    assert OutboxMessage.objects.count() == 0
    assert DeliveryAttempt.objects.get().outcome == "delivered"


def test_nobody_is_asked_twice_by_a_late_event(apply: Apply, session: Connection) -> None:
    """`sent` has no way back to `retrying` but this one."""
    notification = sent(apply)
    apply(event(notification, Outcome.DEFERRED))
    notification.refresh_from_db()
    assert notification.status == Status.SENT
    assert OutboxMessage.objects.count() == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"channel": "sms"},
        {"expires_at": datetime.now(UTC) + timedelta(seconds=30)},
    ],
)
def test_what_nobody_else_can_send_stays_sent(
    fields: dict[str, Any], apply: Apply, session: Connection
) -> None:
    notification = make_notification(status=Status.QUEUED, expect_receipt_within=60, **fields)
    apply(event(notification, provider="twilio"))
    missing = look(session)
    assert missing == Missing((), (notification.channel,))
    notification.refresh_from_db()
    assert (notification.status, notification.receipt_due_at) == (Status.SENT, None)
    assert OutboxMessage.objects.count() == 0


def test_what_was_cleared_stays_sent(apply: Apply, session: Connection) -> None:
    notification = sent(apply)
    NotificationContent.objects.filter(pk=notification.pk).delete()
    assert look(session).sent_again == ()


def test_without_the_templates_word_nothing_is_waited_for(
    apply: Apply, session: Connection
) -> None:
    assert sent(apply, within=0).receipt_due_at is None
    assert look(session, seconds=99_999) == Missing()


def test_a_job_that_failed_for_a_time_avoids_nobody(apply: Apply, session: Connection) -> None:
    notification = make_notification(status=Status.QUEUED)
    apply(event(notification, Outcome.DEFERRED))
    OutboxMessage.objects.update(available_at=datetime.now(UTC) - timedelta(seconds=1))
    assert job_of(session).avoid == ()


def test_the_template_says_it(committed_tenant: Tenant) -> None:
    tenant = committed_tenant
    template = make_template(expect_receipt_within=120)
    tenant.templates.add_template(tenant.id, template)
    user = tenant.users.add_user(tenant.id, make_user())
    asked = {
        "notification_type": "email",
        "template_code": template.code,
        "variables": {"name": "Ada"},
    }
    one = tenant.api.send({**asked, "user_id": user.user_id})
    many = tenant.api.post(
        "/api/v1/notifications/bulk/",
        {**asked, "recipients": [{"user_id": user.user_id}, {"to": "bob@example.com"}]},
    )
    assert (one.status, many.status) == (202, 202), (one.body, many.body)
    seconds = Notification.objects.values_list("expect_receipt_within", flat=True)
    assert list(seconds) == [120, 120, 120]


def test_the_timer_does_it_by_itself(apply: Apply) -> None:
    notification = sent(apply, within=1)
    retrying = Notification.objects.filter(pk=notification.pk, status=Status.RETRYING)
    with ReceiptWatcher(PROVIDERS, interval=0.01):
        assert eventually(retrying.exists)
