"""The admin shows users and devices, never a password or a whole token, and only erases."""

import re

import pytest
from django.contrib.auth.models import User as Staff
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks

from carillon.record_cache import user_cache
from carillon.redis_client import connect
from user_service.tests.calls import Api
from user_service.users.models import Device, User

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

USERS = "/admin/users/user/"
DEVICES = "/admin/users/device/"
TOKEN = "token-that-is-a-secret"


@pytest.fixture
def browser(db: None) -> Client:
    """Somebody who may do everything, logged in."""
    client = Client()
    client.force_login(Staff.objects.create_superuser("admin", "admin@example.com", "a password"))
    return client


def page(browser: Client, path: str) -> str:
    response = browser.get(path, follow=True)
    assert response.status_code == 200, path
    return response.content.decode()


def queries(browser: Client, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        page(browser, path)
    return len(captured)


@pytest.mark.parametrize("path", [USERS, DEVICES])
def test_the_lists_take_as_many_queries_for_thirty_as_for_one(
    api: Api, browser: Client, path: str
) -> None:
    api.create(email="first@example.com", push_token="first-token")
    few = queries(browser, path)
    for n in range(30):
        api.create(email=f"user{n}@example.com", push_token=f"another-token-{n}")
    assert queries(browser, path) == few


@pytest.mark.parametrize("search", ["jane@example", "Doe", "customer-1", "4477", "acme"])
def test_users_are_found(api: Api, browser: Client, search: str) -> None:
    user = api.create(
        email="jane@example.com",
        name="Jane Doe",
        external_id="customer-1",
        phone_number="+447700900123",
    )
    other = api.create(email="joe@other.com", external_id="c2")
    found = page(browser, f"{USERS}?q={search}")
    assert user["user_id"] in found
    assert (other["user_id"] in found) == (search == "acme")
    assert other["user_id"] not in page(browser, f"{USERS}?q={user['user_id']}")


def test_a_users_page_shows_the_devices_and_no_secret(api: Api, browser: Client) -> None:
    user = api.create(email="jane@example.com", password="securepassword123", push_token=TOKEN)
    stored = User.objects.get()
    device = Device.objects.get()
    for path in (
        f"{USERS}{user['user_id']}/change/",
        USERS,
        f"{DEVICES}{device.id}/change/",
        DEVICES,
    ):
        shown = page(browser, path)
        assert stored.password not in shown
        assert "pbkdf2" not in shown
        assert TOKEN not in shown
    details = page(browser, f"{USERS}{user['user_id']}/change/")
    assert "jane@example.com" in details
    assert device.id in details
    assert "toke***" in details
    assert re.search(r'alt="True"', details)


def test_nothing_is_added_or_changed_here(api: Api, browser: Client) -> None:
    user = api.create(email="jane@example.com")
    for path in (USERS, DEVICES):
        assert browser.get(path + "add/").status_code == 403
    change = browser.post(f"{USERS}{user['user_id']}/change/", {"email": "x@example.com"})
    assert change.status_code == 403
    assert User.objects.get().email == "jane@example.com"


def test_deleting_erases_and_tells_the_cache(
    api: Api,
    browser: Client,
    redis_url: str,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    jane = api.create(email="jane@example.com", external_id="jane", push_token="a")["user_id"]
    joe = api.create(email="joe@example.com", push_token="b")["user_id"]
    june = api.create(email="june@example.com", push_token="c")["user_id"]
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(f"{USERS}{jane}/delete/", {"post": "yes"})
        browser.post(
            USERS,
            {"action": "delete_selected", "_selected_action": [joe], "post": "yes"},
        )
        device = Device.objects.get(token="c")
        browser.post(f"{DEVICES}{device.id}/delete/", {"post": "yes"})
    assert [user.id for user in User.objects.all()] == [june]
    assert Device.objects.count() == 0
    with connect(redis_url) as client:
        cache = user_cache(client)
        for name in (jane, "jane", joe):
            absent = cache.read(api.organization_id, name)
            assert absent is not None
            assert absent.record is None
        left = cache.read(api.organization_id, june)
        assert left is not None
        assert left.record is not None
        assert left.record.devices == ()


def test_a_users_page_tells_what_was_said_and_when(api: Api, browser: Client) -> None:
    path = f"/api/v1/users/{api.create(email='jane@example.com')['user_id']}/preferences/"
    windows = [{"start": "22:00", "end": "07:00"}]
    change = {"categories": {"news": {"email": False}}, "quiet_hours": {"friday": windows}}
    assert api.patch(path, change).status == 200
    shown = page(browser, f"{USERS}{User.objects.get().id}/change/")
    assert "<strong>news</strong>: email off" in shown
    assert "<strong>friday</strong>: 22:00 to 07:00" in shown
    assert "<strong>categories.news.email</strong>: None → False" in shown
