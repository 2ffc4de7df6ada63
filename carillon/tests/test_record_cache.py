"""The record cache, on a real Redis."""

import contextlib
import socket
from collections.abc import Iterator
from uuid import uuid4

import msgspec
import pytest
import redis

from carillon import record_cache
from carillon.contracts.records import PublishedVersion, TemplateRecord, UserRecord
from carillon.record_cache import RecordCache, template_cache, user_cache
from carillon.redis_client import connect

ORGANIZATION = "org_1"


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with connect(redis_url) as connected:
        yield connected


@pytest.fixture
def cache(client: redis.Redis) -> RecordCache[UserRecord]:
    return user_cache(client)


def user(revision: int, name: str = "Ann") -> UserRecord:
    return UserRecord(user_id="user_1", revision=revision, name=name)


def template(revision: int, content: str) -> TemplateRecord:
    return TemplateRecord(
        template_id="tmpl_1",
        code="welcome",
        type="email",
        revision=revision,
        default_language="en",
        languages={"en": PublishedVersion(version=revision, content=content)},
    )


def held(cache: RecordCache[UserRecord], identifier: str = "user_1") -> UserRecord | None:
    entry = cache.read(ORGANIZATION, identifier)
    assert entry is not None
    assert entry.fresh
    return entry.record


@pytest.mark.integration
class TestRecordCache:
    def test_a_record_is_found_under_each_of_its_identifiers(
        self, cache: RecordCache[UserRecord]
    ) -> None:
        cache.write(ORGANIZATION, ["user_1", "crm-77"], user(1))
        assert held(cache) == held(cache, "crm-77") == user(1)
        assert cache.read("org_2", "user_1") is None

    def test_a_slow_reader_cannot_bring_old_content_back(
        self, cache: RecordCache[UserRecord]
    ) -> None:
        cache.write(ORGANIZATION, ["user_1"], user(10, "new"))
        cache.write(ORGANIZATION, ["user_1"], user(9, "old"))
        assert held(cache) == user(10, "new")

    def test_a_deleted_record_stays_deleted_until_a_newer_one_comes(
        self, cache: RecordCache[UserRecord]
    ) -> None:
        cache.write_absence(ORGANIZATION, ["user_1"], revision=5)
        cache.write(ORGANIZATION, ["user_1"], user(4))
        assert held(cache) is None
        cache.write(ORGANIZATION, ["user_1"], user(6))
        assert held(cache) == user(6)

    def test_many_records_are_written_unless_a_newer_one_is_there(
        self, cache: RecordCache[UserRecord], client: redis.Redis
    ) -> None:
        cache.write(ORGANIZATION, ["user_1"], user(10, "new"))
        # As after a restart of Redis. To flush its scripts would flush those of other suites.
        source = f"{record_cache._WRITE_UNLESS_OLDER}-- {uuid4()}"
        cache._write = client.register_script(source)
        cache.write_many(
            ORGANIZATION, [(["user_1"], user(9, "old")), (["user_2", "crm-2"], user(11, "Bob"))]
        )
        assert held(cache) == user(10, "new")
        assert held(cache, "user_2") == held(cache, "crm-2") == user(11, "Bob")
        cache.write_many(ORGANIZATION, [])

    def test_revisions_beyond_32_bits_keep_their_order(
        self, cache: RecordCache[UserRecord]
    ) -> None:
        cache.write(ORGANIZATION, ["user_1"], user(2**52 + 1, "new"))
        cache.write(ORGANIZATION, ["user_1"], user(2**52, "old"))
        assert held(cache) == user(2**52 + 1, "new")

    def test_entries_grow_stale_and_then_go(
        self,
        cache: RecordCache[UserRecord],
        client: redis.Redis,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        cache.write(ORGANIZATION, ["user_1"], user(1))
        monkeypatch.setattr(record_cache, "FRESH_SECONDS", -1)
        entry = cache.read(ORGANIZATION, "user_1")
        assert entry is not None
        assert not entry.fresh
        ttl = client.ttl(cache.key(ORGANIZATION, "user_1"))
        assert 0 < ttl <= record_cache.KEPT_SECONDS

    def test_a_template_is_decoded_once_for_each_of_its_revisions(
        self, client: redis.Redis
    ) -> None:
        templates = template_cache(client)

        def read() -> TemplateRecord | None:
            entry = templates.read(ORGANIZATION, "welcome")
            return entry.record if entry else None

        for record in (template(1, "Hi"), template(2, "Hello")):
            templates.write(ORGANIZATION, ["welcome"], record)
            assert read() == record
            assert read() is read()
        large = template(3, "x" * record_cache._REMEMBERED_BYTES)
        templates.write(ORGANIZATION, ["welcome"], large)
        assert read() == large
        assert read() is not read()

    def test_an_entry_of_another_release_is_a_miss(
        self, cache: RecordCache[UserRecord], client: redis.Redis
    ) -> None:
        key = cache.key(ORGANIZATION, "user_1")
        for entry in (b"", b"7", b"7 8", b"7 8 {", b'7 8 {"user_id": 3}', b"7 x null"):
            client.set(key, entry)
            assert cache.read(ORGANIZATION, "user_1") is None
        cache.write(ORGANIZATION, ["user_1"], user(8))
        assert held(cache) == user(8)
        client.set(key, b"garbage")
        cache.write(ORGANIZATION, ["user_1"], user(9))
        assert held(cache) == user(9)


def test_a_failed_write_does_not_fail_the_caller() -> None:
    with connect("redis://127.0.0.1:1/0", timeout=0.2) as nowhere:
        user_cache(nowhere).write(ORGANIZATION, ["user_1"], user(1))
        user_cache(nowhere).write_many(ORGANIZATION, [(["user_1"], user(1))])
        with pytest.raises(redis.RedisError):
            user_cache(nowhere).read(ORGANIZATION, "user_1")


def test_a_redis_that_stalls_holds_up_the_first_few_writes_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stalled:
        port = stalled.getsockname()[1]
        client = connect(f"redis://127.0.0.1:{port}/0", timeout=0.1)
        cache = user_cache(client)
        for revision in range(20):
            cache.write(ORGANIZATION, ["user_1"], user(revision))
            cache.write_many(ORGANIZATION, [(["user_1"], user(revision))])
        client.close()
        assert 3 <= waiting(stalled) < 20


def waiting(listener: socket.socket) -> int:
    """How many connections nobody has accepted yet: a write that waits has made one."""
    listener.setblocking(False)
    found = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            found += 1
    return found


def test_the_wire_form_is_plain_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(user(3)))["revision"] == 3
