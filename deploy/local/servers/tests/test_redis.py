from pathlib import Path

import pytest
import redis

from deploy.local.roster import Roster
from deploy.local.servers.redis import DATABASES, Redis

pytestmark = pytest.mark.integration


def test_what_is_kept_survives_a_crash_where_it_is_durable(tmp_path: Path, roster: Roster) -> None:
    with Redis(tmp_path / "redis", roster=roster, password="pass") as server:
        with redis.Redis.from_url(server.database_url(DATABASES - 1)) as client:
            client.set("key", "value")
        server.kill()
        server.start()
        with redis.Redis.from_url(server.database_url(DATABASES - 1)) as client:
            assert client.get("key") == b"value"
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_nobody_gets_in_without_the_password_nor_reads_it(tmp_path: Path, roster: Roster) -> None:
    with Redis(tmp_path / "redis", roster=roster, password="pass", durable=False) as server:
        with redis.Redis(port=server.port) as client, pytest.raises(redis.AuthenticationError):
            client.ping()
        arguments = Path(f"/proc/{server.pid}/cmdline")
        if arguments.exists():
            assert b"pass" not in arguments.read_bytes()
        assert (tmp_path / "redis" / "redis.conf").stat().st_mode & 0o077 == 0


def test_a_folder_with_a_blank_in_its_name_is_fine(tmp_path: Path, roster: Roster) -> None:
    with Redis(tmp_path / "a folder", roster=roster, password="pass") as server:
        assert server.answers()
