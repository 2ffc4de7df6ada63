"""What is refused before any database is asked; each mistake is named with its field."""

import json

import pytest

from user_service.tests.calls import Api, user_path
from user_service.users.attributes import ATTRIBUTES_BYTES, ATTRIBUTES_DEPTH
from user_service.users.bodies import DeviceBody
from user_service.users.tokens import Platform, normalize_token

USERS = "/api/v1/users/"


def nested(levels: int) -> object:
    value: object = "end"
    for _ in range(levels):
        value = {"next": value}
    return value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not-an-address"),
        ("email", ""),
        ("email", "a@example.com,b@example.com"),
        ("email", "a@example.com\r\nBcc: b@example.com"),
        ("email", 7),
        ("name", "x" * 201),
        ("name", "Jane\r\nBcc: all@example.com"),
        ("name", ["Jane"]),
        ("password", "short"),
        ("password", "x" * 129),
        ("password", 12345678),
        ("external_id", ""),
        ("external_id", "a/b"),
        ("external_id", "a b"),
        ("external_id", "é"),
        ("external_id", ".."),
        ("external_id", "batch"),
        ("external_id", "user_0193f2c6a7b87d1e9c0a5b4d3e2f1a01"),
        ("external_id", "x" * 129),
        ("phone_number", "07700900003"),
        ("phone_number", "+1 900 555 1234"),
        ("phone_number", 447700900003),
        ("push_token", ""),
        ("push_token", "has spaces"),
        ("push_token", "x" * 4097),
        ("language", "english"),
        ("language", "pt_BR"),
        ("timezone", "Mars/Olympus"),
        ("timezone", "../../etc/passwd"),
        ("attributes", "plan=gold"),
        ("attributes", ["gold"]),
        ("attributes", {"long": "x" * ATTRIBUTES_BYTES}),
        ("attributes", {"deep": nested(ATTRIBUTES_DEPTH)}),
        ("preferences", {"fax": True}),
        ("preferences", {"email": "yes"}),
        ("preferences", {"email": 1}),
        ("preferences", ["email"]),
        ("preferences", None),
        ("user_id", "user_0193f2c6a7b87d1e9c0a5b4d3e2f1a01"),
        ("organization", "org_0193f2c6a7b87d1e9c0a5b4d3e2f1a01"),
        ("revision", 7),
        ("devices", []),
        ("", "empty name"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_bad_field_is_400_and_named(method: str, field: str, value: object) -> None:
    path = USERS if method == "POST" else user_path("customer-1")
    body = {"email": "jane@example.com", field: value}
    answer = Api().call(method, path, body)
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == [field]


def test_all_mistakes_are_named_at_once() -> None:
    body = {"email": "nobody", "phone_number": "1", "language": "english", "timezone": "Mars"}
    answer = Api().post(USERS, body)
    assert set(answer.details) == set(body)


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "Jane"}, {"email": None}, {"email": None, "phone_number": None}],
)
def test_a_new_user_needs_to_be_reachable_or_known(body: object) -> None:
    answer = Api().post(USERS, body)
    assert answer.error == (400, "missing_fields")
    assert list(answer.details) == ["email"]


@pytest.mark.parametrize("path", [user_path("customer-1"), user_path("customer-1", "preferences/")])
def test_an_empty_change_is_400(path: str) -> None:
    assert Api().patch(path, {}).error == (400, "missing_fields")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"email": "a@example.com", "email": "b@example.com"}',
        b'{"name": NaN}',
        b'{"name": "\\u0000"}',
        b'{"attributes": {"half": "\\ud800"}}',
        b'{"attributes": {"big": 1e999}}',
        b'{"attributes": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"\xff\xfe",
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", USERS),
        ("POST", USERS + "batch/"),
        ("POST", "/internal/users/batch/"),
        ("POST", user_path("customer-1", "devices/")),
        ("PATCH", user_path("customer-1")),
        ("PATCH", user_path("customer-1", "preferences/")),
    ],
)
def test_what_is_not_a_json_object_is_400(method: str, path: str, raw: bytes) -> None:
    assert Api().call(method, path, raw).error == (400, "invalid_json")


def test_a_body_over_a_megabyte_is_413() -> None:
    body = {"email": "a@example.com", "attributes": {"a": "x" * 1_000_001}}
    assert Api().post(USERS, body).error == (413, "payload_too_large")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"platform": "carrier-pigeon", "token": "abc"}, "platform"),
        ({"platform": "fcm", "token": ""}, "token"),
        ({"platform": "fcm", "token": "a b"}, "token"),
        ({"platform": "fcm", "token": 5}, "token"),
        ({"platform": "fcm", "token": "a", "user_id": "x"}, "user_id"),
        ({"platform": "apns", "token": "zz" * 32}, "token"),
        ({"platform": "apns", "token": "0f" * 31}, "token"),
        ({"platform": "webpush", "token": "https://push.example.com/x"}, "token"),
        ({"platform": "webpush", "token": "{}"}, "token"),
        ({"platform": "webpush", "token": '{"endpoint":"https://push.example.com/x"}'}, "token"),
        (
            {
                "platform": "webpush",
                "token": '{"endpoint":"http://push.example.com/x","keys":{"p256dh":"a","auth":"b"}}',
            },
            "token",
        ),
        (
            {
                "platform": "webpush",
                "token": '{"endpoint":"https://[x","keys":{"p256dh":"a","auth":"b"}}',
            },
            "token",
        ),
    ],
)
def test_a_bad_device_is_400_and_says_where(body: object, field: str) -> None:
    answer = Api().post(user_path("customer-1", "devices/"), body)
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == [field]


def test_a_device_without_its_token_is_missing_it() -> None:
    answer = Api().post(user_path("customer-1", "devices/"), {"platform": "fcm"})
    assert answer.error == (400, "missing_fields")
    assert list(answer.details) == ["token"]


def test_one_subscription_is_one_token_however_it_is_written() -> None:
    spaced = (
        '{ "expirationTime": null, "keys": {"auth": "tBHI", "p256dh": "BNcR"},'
        ' "endpoint": "https://push.example.com/x" }'
    )
    compact = json.dumps(
        {"endpoint": "https://push.example.com/x", "keys": {"p256dh": "BNcR", "auth": "tBHI"}}
    )
    stored = normalize_token(Platform.WEBPUSH, spaced)
    assert stored == normalize_token(Platform.WEBPUSH, compact)
    assert json.loads(stored) == json.loads(compact)


def test_an_apns_token_is_one_token_in_either_case() -> None:
    assert normalize_token(Platform.APNS, "0F" * 32) == "0f" * 32


def test_a_device_body_knows_the_platforms() -> None:
    assert {platform.value for platform in Platform} == {"fcm", "apns", "webpush"}
    assert DeviceBody.__struct_fields__ == ("platform", "token")


@pytest.mark.parametrize(
    ("ids", "problem"), [([], "length"), (["x"] * 1001, "length"), ([1], "string"), ("x", "array")]
)
@pytest.mark.parametrize("path", [USERS + "batch/", "/internal/users/batch/"])
def test_a_bad_batch_is_400(path: str, ids: object, problem: str) -> None:
    answer = Api().post(path, {"user_ids": ids})
    assert answer.error == (400, "validation_error")
    assert problem in answer.details["user_ids"][0]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=x", "page"),
        ("page=10001", "page"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=1e9", "limit"),
        ("limit=-1", "limit"),
        ("search=a%00b", "search"),
        ("search=" + "x" * 201, "search"),
    ],
)
def test_a_bad_query_is_400(query: str, field: str) -> None:
    answer = Api().get(f"{USERS}?{query}")
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == [field]


@pytest.mark.parametrize("identifier", ["%00", "a%20b", "%C3%A9", "x" * 129, "%ED%A0%80"])
def test_an_identifier_that_names_nobody_is_404(identifier: str) -> None:
    assert Api().get(user_path(identifier)).error == (404, "user_not_found")
    assert Api().get(f"/internal/users/{identifier}/").error == (404, "user_not_found")
