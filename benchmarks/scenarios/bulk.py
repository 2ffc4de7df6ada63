"""One message to many in one request, beside the recipe's loop of creates and delays."""

import time

import requests

from benchmarks.harness.calls import answered
from benchmarks.harness.ground import TEMPLATE, VARIABLES, WEB, Ground, Peer
from benchmarks.harness.results import Comparison, Result
from benchmarks.harness.rounds import Measured, Side, interleave
from benchmarks.harness.targets import BULK_TO_RECIPE
from deploy.local.errors import StackError

RATE = "recipients a second"
OURS, RECIPE = "carillon", "recipe"
# The recipe takes seconds for a thousand: its rate is the same for fewer recipients.
FEWER = 20
TIMEOUT = 300.0  # seconds


def run(ground: Ground) -> Result:
    """Measure both."""
    ours = Peer(
        ground.stack.url("gateway", ""), ground.pid("gateway"), {"X-API-Key": ground.tenant.key}
    )
    ground.only(*WEB)
    most = min(10_000, ground.scale.messages)
    addresses = [f"someone-{number}@example.com" for number in range(most)]
    body = {
        "notification_type": "email",
        "template_code": TEMPLATE,
        "variables": VARIABLES,
        "recipients": [{"to": address} for address in addresses],
    }
    few = addresses[: most // FEWER]
    wanted = {"channel": "email", "template": TEMPLATE, "data": VARIABLES, "recipients": few}

    def posted(server: Peer, path: str, asked: object, count: int) -> Measured:
        seconds = 0.0

        def post() -> requests.Response:
            nonlocal seconds
            begun = time.monotonic()
            got = requests.post(
                f"{server.url}{path}", json=asked, headers=server.headers, timeout=TIMEOUT
            )
            seconds = time.monotonic() - begun
            return got

        answer = answered(post)
        data = answer.json()
        accepted = data.get("data", data).get("accepted")
        if answer.status_code != 202 or accepted != count:
            raise StackError(f"{server.url}{path} answered {answer.status_code}: {answer.text}")
        return {RATE: count / seconds}

    def in_one() -> Measured:
        return posted(ours, "/api/v1/notifications/bulk/", body, most)

    def in_a_loop() -> Measured:
        return posted(ground.recipe, "/v1/notify/bulk/", wanted, len(few))

    with ground.console.step("Warming up"):
        in_one()
        in_a_loop()
    sides = [Side(OURS, in_one), Side(RECIPE, in_a_loop)]
    rounds = interleave(sides, ground.scale.rounds, ground.console)
    return Result(
        scenario="bulk",
        title=f"One message to {most:,}",
        rounds=rounds,
        comparisons=(Comparison(BULK_TO_RECIPE, (OURS, RATE), (RECIPE, RATE)),),
        notes=(
            f"The recipe's request has {len(few):,} recipients: its loop takes time for each.",
            "Ours are addresses, checked, looked up and reserved as those of single requests.",
        ),
    )
