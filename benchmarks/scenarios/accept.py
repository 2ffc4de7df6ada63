"""Accepting one notification, beside an empty view and beside the usual recipe.

All three servers run all the time, under the same gunicorn flags, and one of them is asked at a
time. What delivers is stopped: that costs the recipe its worker, and us the relay, the events and
the worker; `end_to_end` measures them. The recipe publishes its task within the request; ours is a
row of the outbox by then.
"""

from functools import partial

from benchmarks.harness import processes, wrk
from benchmarks.harness.ground import TEMPLATE, VARIABLES, WEB, Ground, Peer
from benchmarks.harness.results import Comparison, Result
from benchmarks.harness.rounds import Measured, Side, interleave
from benchmarks.harness.targets import ACCEPT_TO_EMPTY, ACCEPT_TO_RECIPE, CPU_TO_EMPTY

RATE = "requests a second"
CPU = "server CPU per request, microseconds"
P95 = "p95, ms"
OURS, EMPTY, RECIPE = "carillon", "empty view", "recipe"

# More of them, and shorter ones, than elsewhere: from one minute to the next the machine may slow
# down, and these sides by different shares, since they use its caches by different shares.
TIMES_THE_ROUNDS = 2
SHARE_OF_SECONDS = 0.6

RECIPE_BODY = {
    "channel": "email",
    "to": "ada@example.com",
    "template": TEMPLATE,
    "data": VARIABLES,
}


def run(ground: Ground) -> Result:
    """Measure the three."""
    ours = Peer(
        ground.stack.url("gateway", ""), ground.pid("gateway"), {"X-API-Key": ground.tenant.key}
    )
    body = {
        "notification_type": "email",
        "user_id": ground.user_id,
        "template_code": TEMPLATE,
        "variables": VARIABLES,
        "request_id": wrk.UNIQUE,
    }
    ground.only(*WEB)

    def asked(server: Peer, path: str, wanted: object, seconds: float) -> Measured:
        begun = processes.cpu_seconds(server.pid)
        load = wrk.post(f"{server.url}{path}", wanted, server.headers, seconds=seconds)
        used = processes.cpu_seconds(server.pid) - begun
        return {RATE: load.rate, CPU: used / load.requests * 1e6, P95: load.p95}

    calls: dict[str, tuple[Peer, str, object]] = {
        OURS: (ours, "/api/v1/notifications/", body),
        EMPTY: (ground.empty, "/", {}),
        RECIPE: (ground.recipe, "/v1/notify/", RECIPE_BODY),
    }
    # Every process has its connections, its caches and its code paths before the first round.
    with ground.console.step("Warming up"):
        for call in calls.values():
            asked(*call, ground.scale.warm_up)
    seconds = ground.scale.seconds * SHARE_OF_SECONDS
    sides = [Side(name, partial(asked, *call, seconds)) for name, call in calls.items()]
    rounds = interleave(sides, ground.scale.rounds * TIMES_THE_ROUNDS, ground.console)
    return Result(
        scenario="accept",
        title=f"Accepting one notification ({wrk.CONNECTIONS} connections, gunicorn 4x4)",
        rounds=rounds,
        comparisons=(
            Comparison(ACCEPT_TO_EMPTY, (OURS, RATE), (EMPTY, RATE)),
            Comparison(CPU_TO_EMPTY, (OURS, CPU), (EMPTY, CPU)),
            Comparison(ACCEPT_TO_RECIPE, (OURS, RATE), (RECIPE, RATE)),
        ),
        notes=(
            "Ours: a user by id, a template, a request_id of its own in every request.",
            "The relay and the workers are stopped: see end_to_end for all of it at work.",
        ),
    )
