"""Accepting for users whom no cache knows, beside the same users a moment later.

One client, one connection: what is measured is how long a request takes. A cold one costs a call
of the user service, which the gateway waits for; the template's was asked for before.
"""

import time
from collections.abc import Sequence
from functools import partial

import redis
import requests

from benchmarks.harness.calls import answered
from benchmarks.harness.ground import TEMPLATE, VARIABLES, WEB, Ground
from benchmarks.harness.results import Result
from benchmarks.harness.rounds import Measured, Rounds, Side, interleave
from deploy.local.errors import StackError

P50, P95 = "p50, ms", "p95, ms"
COLD, WARM = "carillon, unknown users", "carillon, known users"
USERS = 200
QUICK_USERS = 20
TIMEOUT = 60.0  # seconds
CACHED_USERS = "carillon:user:*"


def run(ground: Ground) -> Result:
    """Measure both."""
    ground.stack  # noqa: B018  starts it
    ground.only(*WEB)
    many = USERS if ground.scale.rounds > 1 else QUICK_USERS
    with ground.console.step(f"Making {many} users"):
        users = [ground.tenant.make_user() for _ in range(many)]

    def cold() -> Measured:
        forget_users(ground)
        return accepted(ground, users)

    def warm() -> Measured:
        accepted(ground, users)
        return accepted(ground, users)

    rounds: Rounds = interleave(
        [Side(COLD, cold), Side(WARM, warm)], ground.scale.rounds, ground.console
    )
    return Result(
        scenario="cold_cache",
        title=f"Accepting for {many} users, one after the other",
        rounds=rounds,
        comparisons=(),
        notes=("A cold request asks the user service; there is no target for it.",),
    )


def forget_users(ground: Ground) -> None:
    """Take every user out of the cache. Raises StackError where there was none."""
    with redis.Redis.from_url(ground.redis.url) as client:
        keys = list(client.scan_iter(CACHED_USERS, count=1000))
        if not keys or not client.delete(*keys):
            raise StackError(f"no user was cached under {CACHED_USERS}")


def accepted(ground: Ground, users: Sequence[str]) -> Measured:
    """Ask for one notification for each. Raises StackError where one is refused."""
    took = []
    with requests.Session() as session:
        session.headers["X-API-Key"] = ground.tenant.key
        for user in users:
            body = {
                "notification_type": "email",
                "user_id": user,
                "template_code": TEMPLATE,
                "variables": VARIABLES,
            }
            url = ground.stack.url("gateway", "/api/v1/notifications/")
            begun = time.monotonic()
            answer = answered(partial(session.post, url, json=body, timeout=TIMEOUT))
            took.append((time.monotonic() - begun) * 1000)
            if answer.status_code != 202:
                raise StackError(f"the gateway answered {answer.status_code}: {answer.text}")
    took.sort()
    return {P50: took[len(took) // 2], P95: took[int(len(took) * 0.95)]}
