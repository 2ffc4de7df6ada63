"""A cold cache under many reads at once costs the database few of them."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

import pytest
from django.db import connection

from template_service.templates import cache
from template_service.templates.flight import SingleFlight
from template_service.templates.models import Template
from template_service.templates.selectors import find_template
from template_service.tests.calls import Author


def at_once(count: int, work: Callable[[int], Any]) -> None:
    """All of them begin together, in threads."""
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait(60)
        work(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


def until_asked(flight: SingleFlight[Any], key: Hashable, count: int) -> None:
    """So many wait for an answer."""
    deadline = time.monotonic() + 60
    while flight._lanes[key].users < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_500_readers_make_two_calls() -> None:
    flight: SingleFlight[int] = SingleFlight()
    calls: list[int] = []
    answers: list[int] = []

    def work() -> int:
        calls.append(1)
        if len(calls) == 1:
            until_asked(flight, "key", 500)
        return len(calls)

    at_once(500, lambda _: answers.append(flight.run("key", work)[0]))
    assert len(answers) == 500
    # One if all came before the first began.
    assert len(calls) <= 2
    assert not flight._lanes


def test_nobody_gets_an_answer_older_than_the_question() -> None:
    flight: SingleFlight[int] = SingleFlight()
    truth = 0
    guard = threading.Lock()

    def change_and_read(_: int) -> None:
        nonlocal truth
        with guard:
            truth += 1
            mine = truth
        answer, _shared = flight.run("key", lambda: truth)
        stale.append(answer < mine)

    stale: list[bool] = []
    at_once(50, change_and_read)
    assert stale == [False] * 50


def test_an_error_reaches_everybody_and_is_not_kept() -> None:
    flight: SingleFlight[int] = SingleFlight()
    errors: list[str] = []

    def fail() -> int:
        raise ValueError("no")

    def run(_: int) -> None:
        try:
            flight.run("key", fail)
        except ValueError as error:
            errors.append(str(error))

    at_once(20, run)
    assert errors == ["no"] * 20
    assert flight.run("key", lambda: 5) == (5, False)


def test_keys_do_not_wait_for_each_other() -> None:
    flight: SingleFlight[int] = SingleFlight()
    inner = flight.run("a", lambda: flight.run("b", lambda: 1)[0])
    assert inner == (1, False)


@pytest.mark.django_db(transaction=True)
def test_500_misses_at_once_make_few_queries(
    author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    author.create()
    cache.cache()._redis.delete(cache.cache().key(author.organization_id, "welcome"))
    versions: list[int] = []
    queries: list[str] = []

    def find_when_all_have_asked(organization_id: str, code: str) -> Template:
        monkeypatch.setattr(cache, "find_template", find_template)
        until_asked(cache._FLIGHT, (organization_id, code), 500)
        return find_template(organization_id, code)

    def counted(execute: Any, sql: str, *rest: Any) -> Any:
        queries.append(sql)
        return execute(sql, *rest)

    def read(_: int) -> None:
        try:
            with connection.execute_wrapper(counted):
                record = cache.read_record(author.organization_id, "welcome")
            assert record is not None
            versions.append(record.languages["en"].version)
        finally:
            connection.close()

    monkeypatch.setattr(cache, "find_template", find_when_all_have_asked)
    reads = cache.READS.labels("database")._value.get()
    at_once(500, read)
    assert versions == [1] * 500
    reads = cache.READS.labels("database")._value.get() - reads
    assert reads <= 2
    assert len(queries) == 3 * reads
    entry = cache.cache().read(author.organization_id, "welcome")
    assert entry is not None
    assert entry.fresh
