"""The events process is killed while it sends fallbacks: each is sent once all the same."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest

from carillon.contracts.messages import TextContent
from carillon.contracts.status import Status
from gateway.fallbacks.models import NO_RECEIPT, Fallback
from gateway.fallbacks.promises import Promise
from gateway.notifications.models import Notification, NotificationContent
from gateway.outbox.models import OutboxMessage
from gateway.tests.commands import Start, commands
from gateway.tests.factories import make_copies, make_notification
from gateway.tests.fallbacks.conftest import Shop
from gateway.tests.rabbitmq import eventually

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

ROUNDS = 3
EACH = 100
COUNT = ROUNDS * EACH


@pytest.fixture
def start_events(transactional_db: None, rabbitmq_url: str) -> Iterator[Start]:
    with commands("events", rabbitmq_url) as start:
        yield start


def promised(shop: Shop, start: int) -> None:
    """EACH messages without a receipt, each to a number of its own, the first to that one."""
    first = make_notification(
        shop.tenant.organization,
        channel="whatsapp",
        status=Status.SENT,
        content=TextContent("Hi"),
        template_code="order_whatsapp",
    )
    now = datetime.now(UTC)
    for number, parent in enumerate([first, *make_copies(first, EACH - 1)], start):
        promise = Promise(
            channel="sms",
            template_code="order_sms",
            variables={"name": f"Ada {number}"},
            to=f"+44770090{number:04d}",
        )
        NotificationContent.objects.filter(pk=parent.pk).update(
            fallback=msgspec.to_builtins(promise)
        )
        Fallback.objects.create(
            notification=parent,
            channel="sms",
            template_code="order_sms",
            cause=NO_RECEIPT,
            status="pending",
            created_at=now,
            due_at=now,
        )


def sent() -> int:
    return Fallback.objects.filter(status="sent").count()


def claim_is_over() -> None:
    """As a quarter of a minute later."""
    Fallback.objects.filter(status="pending").update(due_at=datetime.now(UTC))


def test_a_process_that_is_killed_sends_none_twice(shop: Shop, start_events: Start) -> None:
    tenant = shop.tenant
    urls = {"TEMPLATE_SERVICE_URL": tenant.templates.url, "USER_SERVICE_URL": tenant.users.url}
    killed_at_work = 0
    for number in range(ROUNDS):
        before = sent()
        promised(shop, number * EACH)
        claim_is_over()
        process = start_events(**urls)
        assert eventually(lambda before=before: sent() > before)  # type: ignore[misc]
        process.kill()
        process.wait()
        killed_at_work += sent() < (number + 1) * EACH
    assert killed_at_work, "it was meant to be killed at work"
    # Two at once, of which one looks at what the other has claimed, too.
    start_events(**urls)
    start_events(**urls)
    claim_is_over()
    assert eventually(lambda: sent() == COUNT, timeout=60)
    children = Notification.objects.filter(channel="sms")
    assert children.count() == COUNT
    numbers = Counter(child.content.addresses[0]["value"] for child in children)
    assert set(numbers.values()) == {1}
    assert len(numbers) == COUNT
    assert OutboxMessage.objects.filter(notification__channel="sms").count() == COUNT
