"""The admin: nothing secret, nothing slow, and changes that hold at once."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gateway.fallbacks.models import Fallback
from gateway.notifications import admin_pages
from gateway.organizations.models import APIKey
from gateway.tests.calls import Api
from gateway.tests.conftest import Tenant
from gateway.tests.factories import (
    make_copies,
    make_dead_letter,
    make_notification,
    make_organization,
)

pytestmark = [pytest.mark.integration]

ME = "/api/v1/organizations/me/"
KEYS = "/admin/organizations/apikey/"
ORGANIZATIONS = "/admin/organizations/organization/"
NOTIFICATIONS = "/admin/notifications/notification/"
DEAD_LETTERS = "/admin/deliveries/deadletter/"
FALLBACKS = "/admin/fallbacks/fallback/"


@pytest.fixture
def admin(committed_tenant: Tenant) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def test_every_page_opens_and_shows_no_secret(admin: Client, committed_tenant: Tenant) -> None:
    notification = make_notification(
        committed_tenant.organization, error_message="550 no such user <someone@example.com>"
    )
    letter = make_dead_letter(committed_tenant.organization)
    Fallback.objects.create(
        notification=notification,
        channel="sms",
        template_code="order_sms",
        cause="bounced",
        status="not_sent",
        reason="validation_error",
        message="someone@example.com is no date",
        created_at=notification.created_at,
    )
    key = APIKey.objects.get(prefix=committed_tenant.api.key[:19])
    for path in (
        "/admin/",
        KEYS,
        f"{KEYS}add/",
        f"{KEYS}{key.pk}/change/",
        ORGANIZATIONS,
        f"{ORGANIZATIONS}{committed_tenant.id}/change/",
        NOTIFICATIONS,
        FALLBACKS,
        f"{FALLBACKS}{notification.pk}/change/",
        DEAD_LETTERS,
        f"{DEAD_LETTERS}{letter.pk}/change/",
        f"{NOTIFICATIONS}{notification.pk}/change/",
    ):
        page = admin.get(path)
        assert page.status_code == 200, path
        text = page.content.decode()
        assert key.digest.hex() not in text, path
        assert str(bytes(key.digest)) not in text, path
        assert "someone@example.com" not in text, path
    assert "so***@example.com" in text


def test_a_new_key_is_shown_once_and_in_no_cookie(admin: Client, committed_tenant: Tenant) -> None:
    page = admin.post(
        f"{KEYS}add/",
        {
            "organization": committed_tenant.id,
            "name": "Shop",
            "mode": "live",
            "scopes": ["send", "read"],
            "expires_at_0": "",
            "expires_at_1": "",
        },
    )
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    (text,) = re.findall(r"org_live_\w{10}_[\w-]{43}", page.content.decode())
    assert Api(text).get(ME).status == 200
    assert text[20:] not in str(admin.cookies)
    assert text[20:] not in admin.get(KEYS).content.decode()


def test_deactivating_holds_at_once(admin: Client, committed_tenant: Tenant) -> None:
    api = committed_tenant.api
    assert api.get(ME).status == 200
    key = APIKey.objects.get(prefix=api.key[:19])
    page = admin.post(KEYS, {"action": "deactivate", "_selected_action": [key.pk]}, follow=True)
    assert "1 key(s) deactivated" in page.content.decode()
    assert api.get(ME).error == (401, "invalid_api_key")


def test_saving_an_organization_reaches_keys_and_services(
    admin: Client, committed_tenant: Tenant
) -> None:
    tenant = committed_tenant
    assert tenant.api.get(ME).status == 200
    form = {"name": "Acme Ltd", "plan": "free", "monthly_quota": ""}
    page = admin.post(f"{ORGANIZATIONS}{tenant.id}/change/", form)
    assert page.status_code == 302
    assert tenant.api.get(ME).error == (403, "organization_inactive")
    for double in (tenant.users, tenant.templates):
        (call,) = [c for c in double.calls if c.path == "/internal/organizations/"]
        assert b'"name":"Acme Ltd","is_active":false' in call.body


def test_a_service_that_is_down_does_not_stop_the_change(
    admin: Client, committed_tenant: Tenant
) -> None:
    committed_tenant.users.down = True
    form = {"name": "Acme", "plan": "free", "monthly_quota": "", "is_active": "on"}
    page = admin.post(
        f"{ORGANIZATIONS}{committed_tenant.id}/change/", form, follow=True
    ).content.decode()
    assert f"sync_org {committed_tenant.id}" in page
    committed_tenant.organization.refresh_from_db()
    assert committed_tenant.organization.plan == "free"


@pytest.mark.parametrize("path", [NOTIFICATIONS, KEYS, ORGANIZATIONS, DEAD_LETTERS])
def test_lists_need_no_query_per_row(admin: Client, committed_tenant: Tenant, path: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            admin.get(path)
        return len(captured)

    make_notification(committed_tenant.organization)
    make_dead_letter(committed_tenant.organization)
    few = queries()
    for _ in range(10):
        make_notification(committed_tenant.organization)
        make_dead_letter(make_organization())
        committed_tenant.api_with("send")
    assert queries() == few


@pytest.mark.parametrize("path", [f"{NOTIFICATIONS}add/", f"{ORGANIZATIONS}add/"])
def test_what_is_made_elsewhere_cannot_be_added_here(admin: Client, path: str) -> None:
    assert admin.get(path).status_code == 403


@pytest.mark.parametrize("field", ["pk", "request_id", "correlation_id", "user_id"])
def test_a_notification_is_found_by_what_people_have_of_it(
    admin: Client, committed_tenant: Tenant, field: str
) -> None:
    wanted = make_notification(
        committed_tenant.organization, request_id="r", correlation_id="c", user_id="u"
    )
    other = make_notification(committed_tenant.organization)
    page = admin.get(NOTIFICATIONS, {"q": getattr(wanted, field)}).content.decode()
    assert wanted.pk in page
    assert other.pk not in page


@pytest.mark.parametrize(("channel", "found"), [("sms", True), ("email", False)])
def test_notifications_are_filtered_by_channel(
    admin: Client, committed_tenant: Tenant, channel: str, found: bool
) -> None:
    wanted = make_notification(committed_tenant.organization, channel="sms")
    page = admin.get(NOTIFICATIONS, {"channel": channel}).content.decode()
    assert (wanted.pk in page) is found


def test_a_keys_scopes_are_changed_by_ticking(admin: Client, committed_tenant: Tenant) -> None:
    key = APIKey.objects.get(prefix=committed_tenant.api.key[:19])
    assert committed_tenant.api.get("/api/v1/users/").status == 200
    page = admin.post(
        f"{KEYS}{key.pk}/change/", {"name": "n", "scopes": ["read"], "is_active": "on"}
    )
    assert page.status_code == 302
    assert committed_tenant.api.get("/api/v1/users/").error == (403, "insufficient_scope")


def test_nobody_sees_it_without_logging_in(db: None) -> None:
    page = Client().get(NOTIFICATIONS)
    assert (page.status_code, "login" in page["Location"]) == (302, True)


def test_a_long_name_leaves_room_for_the_other_columns(
    admin: Client, committed_tenant: Tenant
) -> None:
    committed_tenant.organization.name = "A name of many words, " * 5
    committed_tenant.organization.save()
    letter = make_dead_letter(committed_tenant.organization)
    for path in (NOTIFICATIONS, DEAD_LETTERS, KEYS):
        page = admin.get(path).content.decode()
        assert "A name of many words, A name…" in page, path
        assert committed_tenant.organization.name not in page, path
    assert letter.pk in admin.get(DEAD_LETTERS).content.decode()


@pytest.mark.parametrize("field", ["pk", "notification_id", "request_id"])
def test_a_dead_letter_is_found_by_what_people_have_of_it(
    admin: Client, committed_tenant: Tenant, field: str
) -> None:
    wanted = make_dead_letter(committed_tenant.organization, request_id="order-1")
    other = make_dead_letter(committed_tenant.organization)
    term = "order-1" if field == "request_id" else getattr(wanted, field)
    page = admin.get(DEAD_LETTERS, {"q": f" {term} "}).content.decode()
    assert wanted.pk in page
    assert other.pk not in page
    assert wanted.pk not in admin.get(DEAD_LETTERS, {"q": "order"}).content.decode()


def test_pages_are_counted_so_far_and_no_farther(
    admin: Client, committed_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_pages, "COUNTED_MOST", 3)
    make_copies(make_notification(committed_tenant.organization), 5)
    with CaptureQueriesContext(connection) as captured:
        page = admin.get(NOTIFICATIONS).content.decode()
    assert "3 notifications" in page
    counts = [query["sql"] for query in captured.captured_queries if "COUNT(*)" in query["sql"]]
    assert counts
    assert all("LIMIT 3" in count for count in counts)


@pytest.mark.parametrize("term", ["order-1", "user_1", "somebody's correlation id"])
def test_searching_reads_no_whole_table(admin: Client, committed_tenant: Tenant, term: str) -> None:
    """Everything but the last resort goes by an index that begins with the organization."""
    make_notification(committed_tenant.organization, request_id="order-1", user_id="user_1")
    with CaptureQueriesContext(connection) as captured:
        admin.get(NOTIFICATIONS, {"q": term})
    asked = [q["sql"] for q in captured.captured_queries if '"request_id" = ' in q["sql"]]
    assert asked
    assert all('"organization_id" IN' in query for query in asked)
    by_correlation = [q for q in captured.captured_queries if '"correlation_id" = ' in q["sql"]]
    assert bool(by_correlation) is term.startswith("somebody")
