"""How long an urgent notification waits while 50,000 bulk jobs do, beside when nothing else does.

`tests/end_to_end/lanes` measures it, on a platform of its own with a provider that tells when it
had each mail; this scenario runs that and takes its times.
"""

import json
import sys

from benchmarks.harness.ground import LANES, Ground
from benchmarks.harness.results import Comparison, Result
from benchmarks.harness.rounds import Rounds
from benchmarks.harness.targets import URGENT_IN_FLOOD
from deploy.local.child import Command
from deploy.local.errors import StackError
from deploy.local.paths import ROOT
from tests.end_to_end.lanes.measure import quantile

P50, P95 = "p50 from queue to provider, ms", "p95 from queue to provider, ms"
IDLE, FLOODED = "carillon, idle", "carillon, in the flood"
SAMPLES = 150
QUICK_SAMPLES = 10
ROUND_TIMEOUT = 300.0  # seconds


def run(ground: Ground) -> Result:
    """Run the measuring of the lanes and read what it wrote."""
    times = ground.folder / "lanes.json"
    jobs, rounds_wanted = ground.scale.flood, ground.scale.rounds
    samples = SAMPLES if rounds_wanted > 1 else QUICK_SAMPLES
    arguments = {"jobs": jobs, "samples": samples, "rounds": rounds_wanted, "times": times}
    options = [f"--{name}={value}" for name, value in arguments.items()]
    # They were measured by then, and take as long again.
    options.append("--forget-rest")
    child = ground.roster.start(
        Command(
            name=LANES,
            argv=(sys.executable, "-m", "tests.end_to_end.lanes", *options),
            folder=ROOT,
            grace=60.0,  # it has a platform to stop
        ),
        show=False,
    )
    with ground.console.step(f"{rounds_wanted} floods of {jobs:,} jobs on a platform of their own"):
        child.wait(ROUND_TIMEOUT * (rounds_wanted + 1))
        # Its exit code is its own verdict; left on the roster, it would end the next scenario.
        ground.roster.stop(LANES)
    if not times.is_file():
        raise StackError(f"the lanes were not measured:\n{child.last_words()}")
    rounds = Rounds()
    for flood in json.loads(times.read_text(encoding="utf-8")):
        for side, waits in ((IDLE, flood["idle"]["queued"]), (FLOODED, flood["busy"]["queued"])):
            in_ms = {P50: quantile(waits, 0.5) * 1000, P95: quantile(waits, 0.95) * 1000}
            rounds.add(side, in_ms)
    return Result(
        scenario="flood",
        title=f"An urgent notification while {jobs:,} bulk jobs wait",
        rounds=rounds,
        comparisons=(Comparison(URGENT_IN_FLOOD, (FLOODED, P95), (IDLE, P95)),),
        notes=(f"{samples} urgent ones in each round, ten a second.",),
    )
