"""A provider's bucket, shared and alone."""

import time

import pytest

from carillon.contracts.lanes import Lane
from carillon.worker.rate_limit import LocalBucket, Rate, RateLimit, reserve_for
from carillon.worker.redis_link import RedisLink
from carillon.worker.tests.doubles import Clock

# While a test runs no token comes back.
SLOW = Rate(per_second=0.001, burst=4)


def take_all(limit: RateLimit, lane: Lane) -> int:
    taken = 0
    while limit.take(lane) == 0.0:
        taken += 1
    return taken


@pytest.mark.integration
class TestShared:
    """The bucket in Redis."""

    def test_workers_share_the_burst(self, link: RedisLink) -> None:
        one, other = (RateLimit(link, "email:smtp", SLOW) for _ in range(2))
        assert [limit.take(Lane.HIGH) for limit in (one, other, one, other)] == [0.0] * 4
        assert 0 < other.take(Lane.HIGH) <= 1000.0

    def test_providers_do_not(self, link: RedisLink) -> None:
        assert take_all(RateLimit(link, "email:smtp", SLOW), Lane.HIGH) == 4
        assert take_all(RateLimit(link, "email:ses", SLOW), Lane.HIGH) == 4

    def test_a_flood_of_bulk_leaves_tokens_to_the_urgent(self, link: RedisLink) -> None:
        limit = RateLimit(link, "email:smtp", SLOW)
        assert take_all(limit, Lane.BULK) == 3
        assert limit.take(Lane.HIGH) == 0.0

    def test_tokens_come_back_at_the_rate(self, link: RedisLink) -> None:
        limit = RateLimit(link, "email:smtp", Rate(per_second=100, burst=5))
        began = time.monotonic()
        taken, waits = 0, []
        while taken < 45:
            wait = limit.take(Lane.HIGH)
            taken += wait == 0.0
            waits.append(wait)
            time.sleep(wait)
        # No sooner than that, and nobody is sent away for longer than a token takes.
        assert time.monotonic() - began >= 0.39
        assert max(waits) <= 0.011

    def test_a_single_token_serves_every_lane(self, link: RedisLink) -> None:
        for lane in Lane:
            limit = RateLimit(link, f"email:{lane}", Rate(per_second=1, burst=1))
            assert limit.take(lane) == 0.0

    def test_buckets_expire(self, link: RedisLink) -> None:
        RateLimit(link, "email:smtp", Rate(per_second=0.5, burst=4)).take(Lane.HIGH)
        assert 0 < link.run(("TTL", "worker:rate:email:smtp"))[0] <= 70


def test_alone_each_process_keeps_the_rate() -> None:
    clock = Clock()
    bucket = LocalBucket(Rate(per_second=0.5, burst=4), clock)
    assert [bucket.take(0) for _ in range(4)] == [0.0] * 4
    assert bucket.take(0) == 2.0
    clock.advance(2.0)
    assert bucket.take(0) == 0.0
    clock.advance(1000.0)
    assert [bucket.take(1) for _ in range(3)] == [0.0] * 3
    assert bucket.take(1) > 0


@pytest.mark.parametrize("lane", list(Lane))
@pytest.mark.parametrize("burst", [1, 2, 10, 1000])
def test_every_lane_can_take_from_a_full_bucket(lane: Lane, burst: int) -> None:
    assert burst - reserve_for(Rate(1.0, burst), lane) >= 1
