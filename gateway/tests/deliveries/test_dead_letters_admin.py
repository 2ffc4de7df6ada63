"""The admin page of dead letters: masked, quick, and able to replay."""

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from carillon.contracts.status import Status
from gateway.deliveries import admin as admin_pages
from gateway.deliveries.models import DeadLetter
from gateway.notifications.models import Notification, NotificationContent
from gateway.outbox.models import OutboxMessage
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_dead_letter
from gateway.tests.records import make_user

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

PAGE = "/admin/deliveries/deadletter/"


@pytest.fixture
def admin(tenant: Tenant) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def replay(client: Client, *letters: DeadLetter, everywhere: bool = False) -> str:
    form = {
        "action": "replay",
        "_selected_action": [letter.pk for letter in letters],
        "select_across": "1" if everywhere else "0",
    }
    return client.post(PAGE, form, follow=True).content.decode()


def test_the_pages_show_the_failure_and_no_address(admin: Client, tenant: Tenant) -> None:
    letter = make_dead_letter(
        tenant.organization,
        template_code="welcome_email",
        error_message="550 <someone@example.com> is unknown",
    )
    for path in (PAGE, f"{PAGE}{letter.pk}/change/", f"{PAGE}?replayed=no&reason__exact=other"):
        page = admin.get(path)
        assert page.status_code == 200, path
        assert "someone@example.com" not in page.content.decode(), path
    text = admin.get(PAGE).content.decode()
    for shown in (letter.pk, "attempts_exhausted", "welcome_email"):
        assert shown in text
    assert letter.notification_id in admin.get(f"{PAGE}{letter.pk}/change/").content.decode()
    assert "550 &lt;so***@example.com&gt; is unknown" in text


def test_the_list_needs_no_query_per_row(admin: Client, tenant: Tenant) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            admin.get(PAGE)
        return len(captured)

    make_dead_letter(tenant.organization)
    few = queries()
    for _ in range(10):
        make_dead_letter(tenant.organization)
    assert queries() == few


def test_the_filter_tells_what_was_replayed(admin: Client, tenant: Tenant) -> None:
    kept = make_dead_letter(tenant.organization)
    done = make_dead_letter(tenant.organization, letter={"replayed_at": "2026-03-01T12:00:00Z"})
    assert kept.pk in admin.get(f"{PAGE}?replayed=no").content.decode()
    assert done.pk not in admin.get(f"{PAGE}?replayed=no").content.decode()
    assert kept.pk not in admin.get(f"{PAGE}?replayed=yes").content.decode()


def test_the_action_replays_and_says_what_came_of_each(admin: Client, tenant: Tenant) -> None:
    organization = tenant.organization
    tenant.users.add_user(tenant.id, make_user(user_id="u", preferences={"email": False}))
    good, again = make_dead_letter(organization), make_dead_letter(organization)
    unwanted = make_dead_letter(organization, user_id="u")
    cleared = make_dead_letter(organization)
    NotificationContent.objects.filter(pk=cleared.notification_id).delete()
    replay(admin, again)
    page = replay(admin, good, again, unwanted, cleared)
    for told in (
        "1 accepted again.",
        "1 rejected again.",
        "1 replayed before.",
        "1 not replayed: The content and the address were cleared",
    ):
        assert told in page
    assert OutboxMessage.objects.count() == 2
    assert Notification.objects.get(pk=good.notification_id).status == Status.ACCEPTED


def test_too_many_at_once_are_refused(
    admin: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_pages, "AT_ONCE", 2)
    letters = [make_dead_letter(tenant.organization) for _ in range(3)]
    assert "At most 2 at once" in replay(admin, *letters)
    assert "At most 2 at once" in replay(admin, letters[0], everywhere=True)
    assert not OutboxMessage.objects.exists()


def test_replaying_needs_its_permission(tenant: Tenant) -> None:
    letter = make_dead_letter(tenant.organization)
    viewer = User.objects.create_user("viewer", is_staff=True)
    client = Client()
    client.force_login(viewer)
    assert client.get(PAGE).status_code == 403
    viewer.user_permissions.add(Permission.objects.get(codename="view_deadletter"))
    assert letter.pk in client.get(PAGE).content.decode()
    replay(client, letter)
    assert not OutboxMessage.objects.exists()
    viewer.user_permissions.add(Permission.objects.get(codename="change_deadletter"))
    replay(client, letter)
    assert OutboxMessage.objects.count() == 1


@pytest.mark.parametrize("path", ["add/", "{}/delete/"])
def test_nothing_is_added_or_deleted_here(admin: Client, tenant: Tenant, path: str) -> None:
    letter = make_dead_letter(tenant.organization)
    assert admin.get(PAGE + path.format(letter.pk)).status_code == 403
