"""The query of a list: every mistake is named at once."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from carillon.web.errors import ValidationFailed
from carillon.web.queries import Query


def query(text: str) -> Query:
    return Query(Request(RequestFactory().get(f"/?{text}")), "name", "kind", "since", "done")


def test_what_is_there_is_read_and_what_is_absent_is_empty() -> None:
    read = query("name=ada&kind=tea&since=2026-03-01T12:00:00Z&done=false&page=2&limit=5")
    assert (read.text("name"), read.choice("kind", ("tea", "coffee"))) == ("ada", "tea")
    assert (read.time("since"), read.flag("done")) == (datetime(2026, 3, 1, 12, tzinfo=UTC), False)
    read.check()
    for text in ("", "name=&kind=&since=&done="):
        read = query(text)
        assert (read.text("name"), read.choice("kind", ("tea",))) == ("", "")
        assert (read.time("since"), read.flag("done")) == (None, None)
        read.check()


@pytest.mark.parametrize("offset", ["%2B01:00", "+01:00"])
def test_a_plus_survives_a_careless_client(offset: str) -> None:
    here = timezone(timedelta(hours=1))
    read = query(f"since=2026-03-01T12:00:00{offset}")
    assert read.time("since") == datetime(2026, 3, 1, 12, tzinfo=here)


def test_an_offset_that_postgresql_refuses_is_no_matter() -> None:
    time = query("since=2026-03-01T12:00:00%2B20:00").time("since")
    assert time == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert time.tzinfo is UTC


def test_all_mistakes_are_told_together() -> None:
    read = query("name=%00&kind=cocoa&since=yesterday&done=yes&status=x&organization=y")
    assert read.text("name") == read.choice("kind", ("tea", "coffee")) == ""
    assert read.time("since") is None
    assert read.flag("done") is None
    with pytest.raises(ValidationFailed) as caught:
        read.check()
    assert caught.value.details == {
        "status": ["Unknown parameter. Allowed: name, kind, since, done, page, limit."],
        "organization": ["Unknown parameter. Allowed: name, kind, since, done, page, limit."],
        "name": ["Expected up to 128 characters."],
        "kind": ["Expected one of tea, coffee."],
        "since": ["Expected an ISO 8601 time with an offset, such as 2026-01-31T09:00:00Z."],
        "done": ["Expected one of true, false."],
    }


@pytest.mark.parametrize(
    "text",
    [
        "name=a&name=b",
        "name=" + "x" * 129,
        "since=2026-03-01T12:00:00",
        "since=9999-12-31T23:59:59-10:00",
        "since=0001-01-01T00:00:00Z",
        "done=True",
    ],
)
def test_each_is_a_mistake(text: str) -> None:
    read = query(text)
    read.text("name")
    read.time("since")
    read.flag("done")
    with pytest.raises(ValidationFailed):
        read.check()
