"""Under load, a publish that was answered is what every later read gets."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from carillon.contracts.records import TemplateRecord
from template_service.templates import cache
from template_service.templates.models import Template
from template_service.templates.selectors import find_template, template_record
from template_service.tests.calls import Author

# Eight threads of one processor's interpreter: many times as long where others want that, too.
pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(600),
]

PUBLISHES = 40
READERS = 6


class Load:
    """Readers, as the gateway reads, and those who would spoil the cache, around one writer."""

    def __init__(self, author: Author) -> None:
        self.author = author
        # The newest version whose publish was answered.
        self.answered = 1
        self.stale: list[tuple[int, int]] = []
        self.mixed: list[str] = []
        self.reads = 0
        self.errors: list[BaseException] = []
        self._over = threading.Event()

    def run(self, publish: Callable[[int], None], others: list[Callable[[], None]]) -> None:
        """`others` go round until all is published."""
        threads = [threading.Thread(target=self._around, args=(other,)) for other in others]
        for thread in threads:
            thread.start()
        try:
            for number in range(2, PUBLISHES + 2):
                publish(number)
                self.answered = number
                self._let_read()
        finally:
            self._over.set()
            for thread in threads:
                thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        assert self.errors == []

    def _let_read(self) -> None:
        """Somebody has read since."""
        before, deadline = self.reads, time.monotonic() + 60
        while self.reads == before and not self.errors and time.monotonic() < deadline:
            time.sleep(0.001)

    def _around(self, other: Callable[[], None]) -> None:
        try:
            while not self._over.is_set():
                other()
        except BaseException as error:  # noqa: BLE001  # the test's own thread raises it
            self.errors.append(error)
        finally:
            connection.close()

    def read(self) -> None:
        """The cache first, then the service."""
        before = self.answered
        entry = cache.cache().read(self.author.organization_id, "welcome")
        if entry is not None and entry.fresh:
            record = entry.record
        else:
            record = cache.read_record(self.author.organization_id, "welcome")
        self._see(record, before)

    def evict(self) -> None:
        """Redis may drop an entry at any time."""
        cache.cache()._redis.delete(cache.cache().key(self.author.organization_id, "welcome"))
        self._over.wait(0.003)

    def write_back_late(self) -> None:
        """What was read before a publish is written after it."""
        record = template_record(find_template(self.author.organization_id, "welcome"))
        self._over.wait(0.01)
        assert record is not None
        cache.cache().write(self.author.organization_id, ["welcome"], record)

    def _see(self, record: TemplateRecord | None, before: int) -> None:
        assert record is not None
        words = record.languages["en"]
        self.reads += 1
        if words.version < before:
            self.stale.append((before, words.version))
        if words.subject != f"Version {words.version}":
            self.mixed.append(words.subject)


def publish(author: Author, number: int) -> None:
    """A draft and its publish, as the gateway forwards them."""
    assert author.change(subject=f"Version {number}")["version"] == number
    assert author.act("publish")["version"] == number


def test_no_read_after_an_answered_publish_is_stale(author: Author) -> None:
    author.create(subject="Version 1", content="Hi {{ name }}")
    load = Load(author)
    load.run(
        lambda number: publish(author, number),
        [*[load.read] * READERS, load.write_back_late],
    )
    assert load.reads >= PUBLISHES
    assert (load.stale, load.mixed) == ([], [])


def test_an_evicted_entry_comes_back_as_it_is_now(author: Author) -> None:
    author.create(subject="Version 1", content="Hi {{ name }}")
    load = Load(author)
    load.run(lambda number: publish(author, number), [*[load.read] * READERS, load.evict])
    assert load.reads >= PUBLISHES
    assert (load.stale, load.mixed) == ([], [])


def test_an_old_reader_leaves_nothing_old_in_an_emptied_cache(
    author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    author.create(subject="Version 1", content="Hi {{ name }}")
    read = template_record
    load = Load(author)

    def read_slowly(template: Template) -> TemplateRecord | None:
        """Between its read and its write, a version is published, and Redis loses all."""
        record = read(template)
        monkeypatch.setattr(cache, "template_record", read)
        publish(author, 2)
        load.evict()
        return record

    monkeypatch.setattr(cache, "template_record", read_slowly)
    cache.read_record(author.organization_id, "welcome")
    entry = cache.cache().read(author.organization_id, "welcome")
    assert entry is not None
    assert entry.record is not None
    assert entry.record.languages["en"].version == 2


def test_archiving_is_seen_by_the_next_read(author: Author) -> None:
    author.create()
    for _ in range(10):
        author.call("DELETE", "/api/v1/templates/welcome/")
        entry: Any = cache.cache().read(author.organization_id, "welcome")
        assert entry.record is None
        author.act("publish", version=1)
        entry = cache.cache().read(author.organization_id, "welcome")
        assert entry.record is not None
