"""What each process holds after many notifications, beside what it held after the first of them.

Private memory (USS), summed over a process and its children, while notifications go all the way.
"""

from benchmarks.harness import processes, wrk
from benchmarks.harness.ground import TEMPLATE, VARIABLES, Ground
from benchmarks.harness.results import Comparison, Result
from benchmarks.harness.rounds import Rounds
from benchmarks.harness.targets import MEMORY_GROWTH
from deploy.local.processes import PROCESSES

MB = "private memory, MB"
# Caches, connections and code are there after a tenth: from then on it must be flat.
FIRST = 0.1
SLICE = 10.0  # seconds of load between two looks at how many there were
TIMEOUT = 600.0  # seconds
BUSY = ("gateway", "relay", "events", "email_worker")


def run(ground: Ground) -> Result:
    """Measure each process that has a part in it."""
    count = ground.scale.memory
    address = ground.stack.url("gateway", "/api/v1/notifications/")
    ground.only(*PROCESSES)
    rounds = Rounds()
    send(ground, address, int(count * FIRST))
    early, late = f"after {int(count * FIRST):,}", f"after {count:,}"
    _look(ground, rounds, early)
    send(ground, address, count - int(count * FIRST))
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


def send(ground: Ground, url: str, count: int) -> None:
    """At least so many, all the way to the sink."""
    body = {
        "notification_type": "email",
        "user_id": ground.user_id,
        "template_code": TEMPLATE,
        "variables": VARIABLES,
        "request_id": wrk.UNIQUE,
    }
    before, sent = ground.sink.count, 0
    seconds = min(SLICE, ground.scale.seconds)
    with ground.console.step(f"Sending {count:,} notifications"):
        while sent < count:
            load = wrk.post(url, body, {"X-API-Key": ground.tenant.key}, seconds=seconds)
            sent += load.requests
        ground.sink.wait_for(before + sent, TIMEOUT)
        ground.sink.wait_quiet(1.0, TIMEOUT)


def _look(ground: Ground, rounds: Rounds, when: str) -> None:
    for name in BUSY:
        held = sum(processes.memory(ground.pid(name)).values())
        rounds.add(f"{name} {when}", {MB: held})
        ground.console.line(f"      {name}: {held:,.1f} MB")
