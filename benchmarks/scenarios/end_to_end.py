"""From the request to the mail: everything at work, as it would be.

A round asks for notifications for a while, as fast as they are accepted, and ends when the mail of
each has come. Both sides have 4x4 threads of gunicorn to accept with and two processes to send.
"""

import time

from benchmarks.harness import wrk
from benchmarks.harness.ground import TEMPLATE, VARIABLES, WEB, Ground, Peer
from benchmarks.harness.results import Comparison, Result
from benchmarks.harness.rounds import Measured, Side, interleave
from benchmarks.harness.targets import END_TO_END_TO_RECIPE
from deploy.local.processes import PROCESSES

RATE = "delivered a second"
ACCEPTED = "accepted a second, meanwhile"
OURS, RECIPE = "carillon", "recipe"
TIMEOUT = 300.0  # seconds
# Requests that wrk broke off at its end are accepted and not counted: their mails come as well.
QUIET = 1.5  # seconds


def run(ground: Ground) -> Result:
    """Measure both."""
    address = ground.stack.url("gateway", "")
    key = ground.tenant.key
    body = {
        "notification_type": "email",
        "user_id": ground.user_id,
        "template_code": TEMPLATE,
        "variables": VARIABLES,
        "request_id": wrk.UNIQUE,
    }
    wanted = {
        "channel": "email",
        "to": "ada@example.com",
        "template": TEMPLATE,
        "data": VARIABLES,
    }
    ground.recipe  # noqa: B018  starts it

    def delivered(server: Peer, path: str, asked: object) -> Measured:
        before, begun = ground.sink.count, time.monotonic()
        load = wrk.post(f"{server.url}{path}", asked, server.headers, seconds=ground.scale.seconds)
        ground.sink.wait_for(before + load.requests, TIMEOUT)
        seconds = time.monotonic() - begun
        ground.sink.wait_quiet(QUIET, TIMEOUT)
        return {RATE: load.requests / seconds, ACCEPTED: load.rate}

    def ours() -> Measured:
        ground.only(*PROCESSES)
        server = Peer(address, ground.pid("gateway"), {"X-API-Key": key})
        return delivered(server, "/api/v1/notifications/", body)

    def recipe() -> Measured:
        ground.only(*WEB)
        with ground.recipe_worker():
            return delivered(ground.recipe, "/v1/notify/", wanted)

    rounds = interleave(
        [Side(OURS, ours), Side(RECIPE, recipe)], ground.scale.rounds, ground.console
    )
    return Result(
        scenario="end_to_end",
        title="From the request to the mail",
        rounds=rounds,
        comparisons=(Comparison(END_TO_END_TO_RECIPE, (OURS, RATE), (RECIPE, RATE)),),
        notes=("A round's time ends with the last mail of what was accepted in it.",),
    )
