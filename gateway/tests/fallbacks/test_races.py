"""Whatever comes between: a fallback is sent once, or it says why not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from carillon.contracts import ids
from carillon.contracts.messages import Outcome
from carillon.contracts.status import Status
from carillon.errors import Reason
from gateway.deliveries.selectors import audit_deliveries
from gateway.deliveries.services.replay import replay_dead_letter
from gateway.fallbacks.models import Fallback
from gateway.fallbacks.services import sending
from gateway.fallbacks.services.composing import compose_again
from gateway.fallbacks.timer import FallbackSender
from gateway.notifications.models import Notification
from gateway.notifications.services.changes import delete_notification
from gateway.notifications.services.locking import Authority
from gateway.outbox.database import connect
from gateway.outbox.models import OutboxMessage
from gateway.retention.services.erasure import erase_user
from gateway.tests.fallbacks.conftest import Shop
from gateway.tests.threads import at_once

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def children(parent: Notification) -> int:
    return Notification.objects.exclude(pk=parent.pk).count()


def pending(parent: Notification) -> Fallback:
    found = Fallback.objects.select_related("notification__organization", "notification__content")
    return found.get(pk=parent.pk)


def test_a_receipt_that_comes_before_it_is_sent_stops_it(shop: Shop) -> None:
    parent = shop.missed()
    shop.told(parent, Outcome.DELIVERED)
    shop.work()
    assert children(parent) == 0
    assert shop.fallback(parent)["reason"] == "delivered"
    assert shop.detail(str(parent.pk))["status"] == "delivered"


def test_a_receipt_that_comes_while_it_is_composed_stops_it(shop: Shop) -> None:
    parent = shop.missed()
    read = pending(parent)
    shop.told(parent, Outcome.DELIVERED)
    assert sending.advance(read) is sending.Result.NOT_SENT
    assert (children(parent), shop.fallback(parent)["reason"]) == (0, "delivered")


def test_a_receipt_that_comes_after_it_was_sent_is_believed(shop: Shop) -> None:
    parent = shop.missed()
    shop.work()
    shop.told(parent, Outcome.DELIVERED)
    seen = shop.detail(str(parent.pk))
    assert (seen["status"], seen["fallback"]["status"]) == ("delivered", "sent")
    assert children(parent) == 1


def test_a_failure_that_comes_after_the_wait_promises_nothing_more(shop: Shop) -> None:
    parent = shop.missed()
    shop.work()
    shop.told(parent, Outcome.FAILED, reason=Reason.OTHER)
    shop.watch(seconds=99)
    shop.work()
    assert (children(parent), Fallback.objects.get().cause) == (1, "no_receipt")


def test_a_receipt_and_the_fallback_at_the_same_time(shop: Shop) -> None:
    for _ in range(5):
        parent = shop.missed()
        read = pending(parent)
        before = Notification.objects.count()

        def receipt(parent: Notification = parent) -> Any:
            shop.told(parent, Outcome.DELIVERED)

        at_once([receipt, lambda read=read: sending.advance(read)])  # type: ignore[misc]
        sent = Notification.objects.count() - before
        kept = Fallback.objects.get(pk=parent.pk)
        assert (kept.status, sent) in {("sent", 1), ("not_sent", 0)}
        assert shop.detail(str(parent.pk))["status"] == "delivered"


def test_two_processes_at_once_send_one(shop: Shop) -> None:
    parent = shop.missed()
    reads = [pending(parent) for _ in range(6)]
    results = at_once([lambda read=read: sending.advance(read) for read in reads])  # type: ignore[misc]
    assert sorted(results) == [sending.Result.SENT, *[sending.Result.UNCHANGED] * 5]
    assert children(parent) == 1
    assert OutboxMessage.objects.filter(notification__channel="sms").count() == 1


def test_each_is_claimed_by_one_timer(shop: Shop) -> None:
    parents = [shop.missed(variables={"name": str(number)}) for number in range(4)]
    Fallback.objects.update(due_at=datetime.now(UTC))

    def look() -> None:
        with connect("events", idle_in_transaction=30) as session:
            FallbackSender().look(session)

    at_once([look, look, look])
    assert Notification.objects.filter(channel="sms").count() == len(parents)


def test_a_crash_midway_leaves_nothing_and_it_is_sent_later(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = shop.missed()

    def crash(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sending, "_settle_sent", crash)
        with pytest.raises(KeyboardInterrupt):
            shop.work()
    assert (children(parent), OutboxMessage.objects.exclude(pk=parent.pk).count()) == (0, 0)
    assert shop.fallback(parent)["status"] == "pending"
    # Whoever looks next finds it claimed; a little later it is due again.
    FallbackSender().look(shop.session)
    assert children(parent) == 0
    shop.work()
    assert children(parent) == 1


def test_a_mistake_of_ours_stops_no_other(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = shop.missed(variables={"name": "broken"})
    whole = shop.missed()

    def fail(asked: Any, parent: Notification, now: datetime) -> Any:
        if parent.pk == broken.pk:
            raise ZeroDivisionError
        return compose_again(asked, parent, now)

    monkeypatch.setattr(sending, "compose_again", fail)
    shop.work()
    assert shop.fallback(whole)["status"] == "sent"
    assert shop.fallback(broken)["status"] == "pending"
    Fallback.objects.update(created_at=datetime.now(UTC) - sending.GIVE_UP_AFTER)
    shop.work()
    assert shop.fallback(broken)["reason"] == "internal_error"


def test_a_cancelled_notification_never_falls_back(shop: Shop) -> None:
    parent = shop.missed()
    Notification.objects.filter(pk=parent.pk).update(status=Status.CANCELLED)
    shop.work()
    assert (children(parent), shop.fallback(parent)["reason"]) == (0, "cancelled")


def test_a_deleted_one_takes_its_fallback_along(shop: Shop) -> None:
    parent = shop.missed()
    shop.told(parent, Outcome.FAILED, reason=Reason.OTHER)
    read = pending(parent)
    delete_notification(Authority(shop.tenant.id), str(parent.pk))
    assert sending.advance(read) is sending.Result.UNCHANGED
    assert not Notification.objects.exists()
    assert not Fallback.objects.exists()


def test_deleting_the_child_keeps_what_happened(shop: Shop) -> None:
    parent = shop.missed()
    shop.work()
    child = Notification.objects.get(channel="sms")
    shop.told(child, Outcome.DELIVERED)
    delete_notification(Authority(shop.tenant.id), str(child.pk))
    fallback = shop.fallback(parent)
    assert (fallback["status"], fallback["notification_id"]) == ("sent", None)
    shop.work()
    assert children(parent) == 0


@pytest.mark.parametrize("already_read", [False, True])
def test_an_erased_user_gets_nothing_more(already_read: bool, shop: Shop) -> None:
    parent = shop.missed()
    read = pending(parent)
    organization = ids.parse_id(ids.ORGANIZATION, shop.tenant.id)
    assert organization is not None
    erase_user(shop.session, organization, shop.user.user_id)
    if already_read:
        sending.advance(read)
    else:
        shop.work()
    assert (children(parent), shop.fallback(parent)["reason"]) == (0, "content_cleared")


def test_a_replay_that_fails_again_does_not_fall_back_again(shop: Shop) -> None:
    parent = shop.accepted()
    shop.told(parent, Outcome.FAILED, reason=Reason.OTHER)
    shop.watch()
    shop.work()
    letter = parent.dead_letter
    replay_dead_letter(Authority(shop.tenant.id), str(letter.pk))
    parent.refresh_from_db()
    shop.told(parent, Outcome.FAILED, attempt=parent.attempt, reason=Reason.OTHER)
    assert shop.watch(seconds=9).fallen_back == ("whatsapp",)
    shop.work()
    assert children(parent) == 1


def test_a_replay_before_it_is_sent_stops_it(shop: Shop) -> None:
    parent = shop.accepted()
    shop.told(parent, Outcome.FAILED, reason=Reason.OTHER)
    shop.watch()
    replay_dead_letter(Authority(shop.tenant.id), str(parent.dead_letter.pk))
    shop.work()
    assert (children(parent), shop.fallback(parent)["reason"]) == (0, "accepted")


def test_the_audit_balances(shop: Shop) -> None:
    parent = shop.missed()
    shop.work()
    child = Notification.objects.get(channel="sms")
    shop.told(parent, Outcome.DELIVERED)
    shop.told(child, Outcome.DELIVERED)
    (audit,) = audit_deliveries(shop.session)
    assert (audit.accepted, audit.ended, audit.forgotten) == (2, 2, 0)
