"""Redis: new enough, and set so that it keeps what it was given."""

import time
from collections.abc import Iterator

from carillon.doctor.findings import Finding, clock, problem, version, warning, well
from carillon.redis_client import connect

SUBJECT = "redis"
LEAST = (6, 2)
MEND = "Is it running, is REDIS_URL its address, and is the password right?"
FULL = 0.8  # of maxmemory


def check_redis(url: str, *, must_last: bool) -> Iterator[Finding]:
    """`must_last` where its restart matters. Raises redis.RedisError where it cannot be asked."""
    client = connect(url)
    try:
        info = client.info()
        seconds, microseconds = client.time()
    finally:
        client.close()
    found = str(info["redis_version"])
    yield version(SUBJECT, found, LEAST, "Carillon uses commands of Redis 6.2: upgrade it.")
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy == "noeviction":
        yield well(SUBJECT, "it evicts nothing")
    else:
        yield problem(
            SUBJECT,
            f"it may evict what says that a message was sent ({policy})",
            "CONFIG SET maxmemory-policy noeviction, and the same in its configuration file.",
        )
    most, used = int(info.get("maxmemory", 0)), int(info["used_memory"])
    if most and used > FULL * most:
        yield warning(
            SUBJECT,
            f"{used * 100 // most} % of maxmemory is used",
            "Raise maxmemory: once it is full, limits and duplicates are judged without it.",
        )
    if must_last and not int(info.get("aof_enabled", 0)):
        yield warning(
            SUBJECT,
            "what it was told last does not survive its restart",
            "CONFIG SET appendonly yes: otherwise a restart may let a message be sent twice.",
        )
    yield clock(SUBJECT, seconds + microseconds / 1e6 - time.time())
