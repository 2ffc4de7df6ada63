"""Request bodies: every mistake is named at once."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from carillon.web.bodies import body_length, convert_body, expect_no_body, parse_body
from carillon.web.errors import InvalidJSON, MissingFields, PayloadTooLarge, ValidationFailed
from carillon.web.times import EXPECTED


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: Literal["tea", "coffee"]
    cups: Annotated[int, msgspec.Meta(ge=1, le=10)]
    note: str | None = None
    extras: dict[str, list[int]] = {}
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


def request(body: bytes, content_type: str = "application/json", **headers: Any) -> Request:
    made = RequestFactory().generic("POST", "/", body, content_type, **headers)
    return Request(made)


def test_a_good_body_becomes_the_struct() -> None:
    body = parse_body(request(b'{"kind": "tea", "cups": 2, "at": "2026-01-01T00:00:00Z"}'), Order)
    assert (body.kind, body.cups) == ("tea", 2)
    assert body.at is not None


def test_times_are_in_utc_whatever_their_offset() -> None:
    body = convert_body({"kind": "tea", "cups": 2, "at": "2026-01-01T00:00:00+20:00"}, Order)
    assert body.at == datetime(2025, 12, 31, 4, tzinfo=UTC)
    assert body.at.tzinfo is UTC


@pytest.mark.parametrize(
    "at", ["9999-12-31T23:59:59-10:00", "9999-01-01T00:00:00Z", "0001-01-01T00:00:00+10:00"]
)
def test_a_time_that_not_every_server_can_hold_is_refused(at: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        convert_body({"kind": "tea", "cups": 2, "at": at}, Order)
    assert caught.value.details == {"at": [EXPECTED]}


def test_all_missing_fields_are_named() -> None:
    with pytest.raises(MissingFields) as caught:
        convert_body({"note": "x"}, Order)
    assert caught.value.details == {
        "kind": ["This field is required."],
        "cups": ["This field is required."],
    }


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"cups": "2"}, "cups", "Expected a whole number, got a string."),
        ({"cups": True}, "cups", "got true or false"),
        ({"cups": 2.5}, "cups", "got a number"),
        ({"cups": 11}, "cups", "<= 10"),
        ({"cups": None}, "cups", "may not be null"),
        ({"kind": "cocoa"}, "kind", "cocoa"),
        ({"note": 3}, "note", "a string or null"),
        ({"extras": {"a": ["x"]}}, "extras", "a whole number"),
        ({"at": "2026-01-01T00:00:00"}, "at", "timezone"),
        ({"status": "sent"}, "status", "Unknown field. Allowed: at, cups, extras, kind, note."),
    ],
)
def test_each_wrong_field_says_what_would_be_right(
    wrong: dict[str, Any], field: str, says: str
) -> None:
    with pytest.raises(ValidationFailed) as caught:
        convert_body({"kind": "tea", "cups": 1, **wrong}, Order)
    assert list(caught.value.details or {}) == [field]
    assert says in caught.value.details[field][0]  # type: ignore[index]


def test_all_wrong_fields_are_named_at_once() -> None:
    with pytest.raises(ValidationFailed) as caught:
        convert_body({"kind": 1, "cups": "x", "nope": 1}, Order)
    assert set(caught.value.details or {}) == {"kind", "cups", "nope"}


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"{", b'{"a":1,"a":1}'])
def test_what_is_not_an_object_is_invalid_json(body: bytes) -> None:
    with pytest.raises(InvalidJSON):
        parse_body(request(body), Order)


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded"])
def test_another_content_type_is_refused(content_type: str) -> None:
    with pytest.raises(InvalidJSON, match="Content-Type"):
        parse_body(request(b"{}", content_type), Order)


def test_a_charset_is_accepted() -> None:
    body = request(b'{"kind": "tea", "cups": 2}', "application/json; charset=utf-8")
    assert parse_body(body, Order).cups == 2


def test_a_body_over_the_limit_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(PayloadTooLarge):
        parse_body(request(b"[" * 2000), Order, limit=1000)
    with pytest.raises(PayloadTooLarge):
        parse_body(request(b"{}", CONTENT_LENGTH="-1"), Order)


@pytest.mark.parametrize("body", [b"", b"{}", b" {} "])
def test_a_call_without_fields_takes_nothing(body: bytes) -> None:
    expect_no_body(request(body))


def test_a_call_without_fields_names_those_that_it_does_not_take() -> None:
    with pytest.raises(ValidationFailed) as caught:
        expect_no_body(request(b'{"force": true, "reason": "x"}'))
    assert caught.value.details == {
        "force": ["This call takes no fields."],
        "reason": ["This call takes no fields."],
    }
    for body, error in ((b"[]", InvalidJSON), (b"{", InvalidJSON)):
        with pytest.raises(error):
            expect_no_body(request(body))
    with pytest.raises(PayloadTooLarge):
        expect_no_body(request(b"{}", CONTENT_LENGTH="2000000"))


def test_a_body_in_chunks_is_refused_and_not_taken_for_none() -> None:
    chunked = request(b"", HTTP_TRANSFER_ENCODING="chunked")
    for read in (expect_no_body, body_length, lambda given: parse_body(given, Order)):
        with pytest.raises(InvalidJSON, match="Content-Length"):
            read(chunked)
