"""The admin of suppressions and policies: to look at, and to release."""

import pytest
from django.contrib.auth.models import User as Staff
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks

from user_service.erasure.models import PendingErasure
from user_service.suppressions.models import Suppression
from user_service.tests.calls import Api
from user_service.tests.gateway import Gateway

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

SUPPRESSIONS = "/admin/suppressions/suppression/"
POLICIES = "/admin/policies/policy/"


@pytest.fixture
def browser(db: None) -> Client:
    client = Client()
    client.force_login(Staff.objects.create_superuser("admin", "admin@example.com", "a password"))
    return client


def suppress(api: Api, address: str) -> str:
    body = {"channel": "email", "address": address}
    found: str = api.post("/api/v1/suppressions/", body).data["suppression_id"]
    return found


def queries(browser: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(path).status_code == 200
    return len(captured)


def test_the_list_takes_as_many_queries_for_thirty_as_for_one(api: Api, browser: Client) -> None:
    suppress(api, "first@example.com")
    few = queries(browser, SUPPRESSIONS)
    for n in range(30):
        suppress(api, f"user{n}@example.com")
    assert queries(browser, SUPPRESSIONS) == few


def test_a_suppression_is_found_and_released(
    api: Api,
    browser: Client,
    gateway: Gateway,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    api.create(external_id="jane", email="jane@example.com")
    first, second = suppress(api, "jane@example.com"), suppress(api, "joe@example.com")
    found = browser.get(f"{SUPPRESSIONS}?q=jane").content.decode()
    assert first in found
    assert second not in found
    assert browser.get(f"{SUPPRESSIONS}{first}/change/").status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(f"{SUPPRESSIONS}{first}/delete/", {"post": "yes"})
        browser.post(
            SUPPRESSIONS,
            {"action": "delete_selected", "_selected_action": [second], "post": "yes"},
        )
    assert Suppression.objects.count() == 0
    assert gateway.user(api, "jane").suppressed == {}
    released = gateway.suppression(api, "email", "joe@example.com")
    assert released is not None
    assert released.reason == ""


def test_nothing_is_added_changed_or_lost_here(api: Api, browser: Client) -> None:
    api.patch("/api/v1/preference-defaults/", {"preferences": {"sms": False}})
    policy = f"{POLICIES}{api.organization_id}/"
    assert "sms" in browser.get(policy + "change/").content.decode()
    assert queries(browser, POLICIES) > 0
    for path in (SUPPRESSIONS + "add/", POLICIES + "add/", policy + "delete/"):
        assert browser.get(path).status_code == 403


def test_decisions_are_told_in_words(api: Api, browser: Client) -> None:
    cap = {"limit": 2, "seconds": 86_400}
    body = {"code": "offers", "name": "<Offers>", "preferences": {"sms": False}}
    api.post("/api/v1/categories/", {**body, "frequency_cap": cap})
    page = browser.get(f"{POLICIES}{api.organization_id}/change/").content.decode()
    assert "&lt;Offers&gt;; sms off; at most 2 in 86400 s" in page
    assert "Security; essential" in page


def test_an_erased_address_is_told_of_as_such(api: Api, browser: Client) -> None:
    api.create(external_id="jane", email="jane@example.com")
    suppress(api, "jane@example.com")
    api.delete("/api/v1/users/jane/")
    page = browser.get(SUPPRESSIONS).content.decode()
    assert "(erased)" in page
    assert "jane" not in page


def test_what_the_gateway_was_not_told_yet_is_seen_and_kept(api: Api, browser: Client) -> None:
    user_id = api.create(external_id="jane")["user_id"]
    api.delete("/api/v1/users/jane/")
    path = "/admin/erasure/pendingerasure/"
    assert user_id in browser.get(path).content.decode()
    waiting = PendingErasure.objects.get()
    assert browser.get(f"{path}{waiting.pk}/change/").status_code == 200
    for refused in ("add/", f"{waiting.pk}/delete/"):
        assert browser.get(path + refused).status_code == 403
