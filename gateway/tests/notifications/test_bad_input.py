"""Bodies that are no JSON, or JSON that nothing should accept: an error each, nothing stored."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.test import Client

from gateway.notifications.models import Notification
from gateway.tests.calls import NOTIFICATIONS, STATUS, inline
from gateway.tests.conftest import Tenant

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

DEEP = 100_000


def with_variable(raw: str) -> bytes:
    """A body whose one variable is `raw`, unparsed."""
    head = '{"notification_type":"email","user_id":"u","template_code":"t","variables":{"x":'
    return f"{head}{raw}}}}}".encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"{'a': 1}",
        b"{}{}",
        b'{"a": 1,}',
        b'{"a": 1, "a": 2}',
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        with_variable("NaN"),
        with_variable("Infinity"),
        with_variable("-1e999"),
        with_variable("9" * 30),
        with_variable("1" * 5_000),
        with_variable('"\\u0000"'),
        with_variable('"\\ud800"'),
        with_variable('{"\\u0000": 1}'),
        with_variable('{"y": 1, "y": 2}'),
        with_variable("[" * DEEP + "]" * DEEP),
    ],
)
@pytest.mark.parametrize("path", [NOTIFICATIONS, STATUS])
def test_what_is_not_acceptable_json_is_400(tenant: Tenant, path: str, body: bytes) -> None:
    answer = tenant.api.call("POST", path, body)
    assert answer.error == (400, "invalid_json")
    assert not Notification.objects.exists()


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
def test_another_content_type_is_400(tenant: Tenant, content_type: str) -> None:
    response = Client().generic(
        "POST",
        NOTIFICATIONS,
        json.dumps(inline()),
        content_type=content_type,
        headers={"X-API-Key": tenant.api.key},
    )
    assert (response.status_code, response.json()["error"]) == (400, "invalid_json")


def test_a_charset_beside_the_content_type_is_fine(tenant: Tenant) -> None:
    response = Client().generic(
        "POST",
        NOTIFICATIONS,
        json.dumps(inline()),
        content_type="Application/JSON; charset=utf-8",
        headers={"X-API-Key": tenant.api.key},
    )
    assert response.status_code == 202


@pytest.mark.parametrize("path", [NOTIFICATIONS, STATUS])
def test_a_body_over_a_megabyte_is_413(tenant: Tenant, path: str) -> None:
    answer = tenant.api.call("POST", path, b'{"a": "' + b"x" * 1_000_000 + b'"}')
    assert answer.error == (413, "payload_too_large")


@pytest.mark.parametrize("size", [10_000, 20_000, 300_000])
def test_a_large_body_is_read_as_a_small_one_is(tenant: Tenant, size: int) -> None:
    """Bodies above a bound are parsed after the key is known."""
    body = inline(content={"subject": "S", "html": "x" * size})
    assert tenant.api.send(body).status == 202
    broken = json.dumps(body).encode()[:-1]
    assert tenant.api.send(broken).error == (400, "invalid_json")
    assert tenant.api.with_key("").send(broken).error == (401, "authentication_required")


@pytest.mark.parametrize("length", ["-1", "ten", "1e3"])
def test_a_length_that_is_no_number_is_refused(tenant: Tenant, length: str) -> None:
    response = Client().generic(
        "POST",
        NOTIFICATIONS,
        b"{}",
        content_type="application/json",
        headers={"X-API-Key": tenant.api.key},
        CONTENT_LENGTH=length,
    )
    assert response.status_code in {400, 413}


@pytest.mark.parametrize(
    "value", ["\u202e", "\u0001", "a" * 100, "<script>", "' OR 1=1 --", "../..", "{{ 7*7 }}"]
)
def test_strange_text_is_stored_and_given_back_as_it_is(tenant: Tenant, value: str) -> None:
    metadata = {value: value, "list": [value, {"deep": value}]}
    accepted = tenant.api.accepted(metadata=metadata, content={"subject": "S", "body": value})
    shown = tenant.api.get(f"{NOTIFICATIONS}{accepted['notification_id']}/").data
    assert shown["metadata"] == metadata
    content = Notification.objects.select_related("content").get().content.content
    assert content["body"] == value


def test_a_method_that_is_not_there_is_405(tenant: Tenant) -> None:
    answer = tenant.api.call("DELETE", NOTIFICATIONS)
    assert answer.error == (405, "method_not_allowed")


@pytest.mark.parametrize("field", ["scheduled_at", "expires_at"])
@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-10:00", "9999-06-01T00:00:00Z"])
def test_a_time_that_no_driver_could_read_again_is_refused(
    tenant: Tenant, field: str, time: str
) -> None:
    """PostgreSQL would store it, and the relay could read none of its rows any more."""
    answer = tenant.api.send(inline(**{field: time}))
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == [field]
    assert not Notification.objects.exists()


def test_an_offset_that_postgresql_refuses_is_the_same_instant(tenant: Tenant) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    written = soon.astimezone(timezone(timedelta(hours=20))).isoformat()
    assert tenant.api.send(inline(expires_at=written)).status == 202
    assert Notification.objects.get().expires_at == soon
