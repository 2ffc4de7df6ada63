"""What each process holds after many notifications, beside what it held after the first of them.

Private memory (USS), summed over a process and its children, while notifications go all the way:
some by requests of their own, most by bulk requests, so that the gateway is not all we wait for.
"""

import requests

from benchmarks.harness import processes, wrk
from benchmarks.harness.calls import answered
from benchmarks.harness.ground import TEMPLATE, VARIABLES, WEB, Ground
from benchmarks.harness.results import Comparison, Result
from benchmarks.harness.rounds import Rounds
from benchmarks.harness.targets import MEMORY_GROWTH
from deploy.local.errors import StackError

MB = "private memory, MB"
# Caches, connections and code are there after a tenth: from then on it must be flat.
FIRST = 0.1
# Requests for one come for so long, then so many bulk requests, and so on.
SLICE = 2.0  # seconds
BULKS = 20
RECIPIENTS = 500
TIMEOUT = 600.0  # seconds
BULK_TIMEOUT = 120.0  # seconds
ADDRESS = "/api/v1/notifications/"
MESSAGE = {"notification_type": "email", "template_code": TEMPLATE, "variables": VARIABLES}
BUSY = ("gateway", "relay", "events", "email_worker")


def run(ground: Ground) -> Result:
    """Measure each process that has a part in it."""
    count = ground.scale.memory
    ground.only(*sorted({*WEB, *BUSY}))
    rounds = Rounds()
    send(ground, int(count * FIRST))
    early, late = f"after {int(count * FIRST):,}", f"after {count:,}"
    _look(ground, rounds, early)
    send(ground, count - int(count * FIRST))
    _look(ground, rounds, late)
    return Result(
        scenario="memory",
        title=f"Memory after {count:,} notifications",
        rounds=rounds,
        comparisons=[
            Comparison(MEMORY_GROWTH.of(name), (f"{name} {late}", MB), (f"{name} {early}", MB))
            for name in BUSY
        ],
        notes=("Measured once: each process with its children, without what they share.",),
    )


def send(ground: Ground, count: int) -> None:
    """At least so many, all the way to the sink. Raises StackError."""
    before, sent = ground.sink.count, 0
    with ground.console.step(f"Sending {count:,} notifications"):
        while sent < count:
            sent += _one_by_one(ground)
            for _ in range(BULKS):
                if sent < count:
                    sent += _in_bulk(ground, sent)
        ground.sink.wait_for(before + sent, TIMEOUT)
        ground.sink.wait_quiet(1.0, TIMEOUT)


def _one_by_one(ground: Ground) -> int:
    body = {**MESSAGE, "user_id": ground.user_id, "request_id": wrk.UNIQUE}
    seconds = min(SLICE, ground.scale.seconds)
    load = wrk.post(ground.stack.url("gateway", ADDRESS), body, _key(ground), seconds=seconds)
    return load.requests


def _in_bulk(ground: Ground, first: int) -> int:
    url = ground.stack.url("gateway", f"{ADDRESS}bulk/")
    recipients = [{"to": f"someone-{first + each}@example.com"} for each in range(RECIPIENTS)]
    body = {**MESSAGE, "recipients": recipients}
    answer = answered(
        lambda: requests.post(url, json=body, headers=_key(ground), timeout=BULK_TIMEOUT)
    )
    if answer.status_code != 202:
        raise StackError(f"{url} answered {answer.status_code}: {answer.text}")
    return RECIPIENTS


def _key(ground: Ground) -> dict[str, str]:
    return {"X-API-Key": ground.tenant.key}


def _look(ground: Ground, rounds: Rounds, when: str) -> None:
    for name in BUSY:
        held = sum(processes.memory(ground.pid(name)).values())
        rounds.add(f"{name} {when}", {MB: held})
        ground.console.line(f"      {name}: {held:,.1f} MB")
