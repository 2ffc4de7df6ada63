"""Erasing a user leaves nothing of them here, and is told to the gateway whatever happens."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from carillon.contracts.suppressions import address_digest
from carillon.testing.http_double import HTTPDouble, Reply, Request
from user_service.erasure import services
from user_service.erasure.models import PendingErasure
from user_service.erasure.services import Told, delay_after, tell_due
from user_service.erasure.teller import Teller
from user_service.suppressions.models import Suppression
from user_service.tests.calls import Api, internal_secret, user_path

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

CANARIES = ("canary", "447700900999", "kanarienvogel")


@pytest.fixture
def gateway_double(settings: Any) -> Iterator[HTTPDouble]:
    """The gateway, which clears what it is told to."""

    def erase(_request: Request) -> Reply:
        return Reply(200, {"cancelled": 1, "cleared": 2}, took=True)

    with HTTPDouble(erase) as double:
        settings.GATEWAY_URL = double.url
        services._gateway.cache_clear()
        yield double
    services._gateway.cache_clear()


def erased_user(api: Api, **fields: object) -> str:
    user = api.create(**{"email": "jane@example.com", **fields})
    assert api.delete(user_path(user["user_id"])).status == 200
    user_id: str = user["user_id"]
    return user_id


def whole_database() -> str:
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        assert "users_user" in tables
        text = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608  our own tables
            text += [row for (row,) in cursor.fetchall()]
    return "\n".join(text).lower()


def test_nothing_of_a_user_is_left_in_the_database(api: Api) -> None:
    lines = b'{"external_id": "canary-1", "email": "canary.import@example.com"}\n'
    assert api.lines("/api/v1/users/import/", lines).data["created"] == 1
    api.lines("/api/v1/users/import/", lines.replace(b"import@", b"second@"))
    path = user_path("canary-1")
    changed = api.patch(
        path,
        {
            "email": "canary@example.com",
            "phone_number": "+447700900999",
            "name": "Kanarienvogel",
            "push_token": "canary-token",
            "password": "canary-password",
            "attributes": {"nick": "canary"},
            "preferences": {"sms": False},
        },
    )
    assert changed.status == 200
    for address in ("canary.import@example.com", "canary.second@example.com", "canary@example.com"):
        body = {"channel": "email", "address": address, "note": f"550 {address}: gone"}
        assert api.post("/api/v1/suppressions/", body).status == 201
    line = b'{"channel": "sms", "address": "+447700900999", "note": "asked by canary"}\n'
    assert api.lines("/api/v1/suppressions/import/", line).data["created"] == 1
    assert all(canary in whole_database() for canary in CANARIES)
    assert api.delete(path).status == 200
    left = whole_database()
    assert [canary for canary in CANARIES if canary in left] == []
    # Every one of them is still not sent to.
    asked = {
        "channel": "email",
        "addresses": [
            "canary.import@example.com",
            "Canary.Second@example.com",
            "canary@example.com",
        ],
    }
    found = api.post("/internal/suppressions/check/", asked).body["suppressed"]
    assert list(found) == asked["addresses"]
    digest = address_digest(api.organization_id, "sms", "+447700900999")
    assert Suppression.objects.filter(digest=digest, address="").count() == 1


def test_a_former_address_that_is_somebody_elses_now_stays_legible(api: Api) -> None:
    api.create(external_id="first", email="shared@example.com")
    api.patch(user_path("first"), {"email": "own@example.com"})
    api.create(external_id="second", email="shared@example.com")
    api.post("/api/v1/suppressions/", {"channel": "email", "address": "shared@example.com"})
    api.delete(user_path("first"))
    assert Suppression.objects.get().address == "shared@example.com"
    api.delete(user_path("second"))
    assert Suppression.objects.get().address == ""


def test_the_gateway_is_told(api: Api, gateway_double: HTTPDouble) -> None:
    user_id = erased_user(api)
    assert PendingErasure.objects.get().user_id == user_id
    assert tell_due() == Told(done=1)
    assert PendingErasure.objects.count() == 0
    (request,) = gateway_double.requests
    assert (request.method, request.path) == ("POST", "/internal/users/erase/")
    assert request.headers["X-Internal-Secret"] == internal_secret()
    assert request.headers["X-Organization-ID"] == api.organization_id
    assert msgspec.json.decode(request.body) == {"user_id": user_id}
    assert tell_due() == Told()
    assert len(gateway_double.requests) == 1


def test_a_deletion_that_fails_tells_nobody(api: Api) -> None:
    assert api.delete(user_path("nobody")).status == 404
    assert PendingErasure.objects.count() == 0


@pytest.mark.parametrize("status", [500, 503, 404, 401, 400])
def test_what_the_gateway_did_not_do_is_told_again(
    api: Api, gateway_double: HTTPDouble, status: int
) -> None:
    erased_user(api)
    gateway_double.says = Reply(status, {})
    before = timezone.now()
    assert tell_due() == Told(failed=1)
    # Not at once.
    assert tell_due() == Told()
    waiting = PendingErasure.objects.get()
    assert waiting.attempts == 1
    assert waiting.due_at >= before + timedelta(seconds=60)
    gateway_double.says = None
    PendingErasure.objects.update(due_at=timezone.now())
    services._gateway.cache_clear()
    assert tell_due() == Told(done=1)


def test_a_gateway_that_is_down_is_told_later(api: Api, settings: Any) -> None:
    settings.GATEWAY_URL = "http://127.0.0.1:1"
    services._gateway.cache_clear()
    erased_user(api)
    assert tell_due() == Told(failed=1)
    assert PendingErasure.objects.count() == 1
    services._gateway.cache_clear()


def test_patience_grows_and_has_a_bound() -> None:
    delays = [delay_after(attempts).total_seconds() for attempts in (0, 1, 2, 5, 6, 1_000)]
    assert delays == [60, 120, 240, 1920, 3600, 3600]


def test_the_command_does_not_wait(
    api: Api, gateway_double: HTTPDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(3):
        erased_user(api, email=f"jane{n}@example.com")
    PendingErasure.objects.update(due_at=timezone.now() + timedelta(hours=1))
    call_command("tell_erasures")
    assert "3 cleared at the gateway, 0 left" in capsys.readouterr().out
    erased_user(api)
    gateway_double.says = Reply(503, {})
    with pytest.raises(CommandError, match="1 erasures are still to be told"):
        call_command("tell_erasures")


@pytest.mark.django_db(transaction=True)
def test_a_web_process_tells_it_at_once_by_itself(
    committed_api: Api, gateway_double: HTTPDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    teller = Teller(interval=60)
    monkeypatch.setattr("user_service.users.services.users.teller", teller)
    teller.start()
    try:
        erased_user(committed_api)
        deadline = time.monotonic() + 60
        while PendingErasure.objects.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert PendingErasure.objects.count() == 0
    finally:
        teller.stop()
    assert gateway_double.took == 1
