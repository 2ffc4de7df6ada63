"""`make status`: what runs, where, and whether it is well."""

import datetime
import time

from deploy.local.console import Console, table
from deploy.local.health import answers
from deploy.local.paths import LOCAL
from deploy.local.state import State, load, supervisor_of

NOT_RUNNING = 3  # as for a service that is not running (LSB, init script actions)
WORDS = {200: "ready", 503: "not ready", 0: "no answer"}


def main(_arguments: list[str], console: Console) -> int:
    """Print the table; NOT_RUNNING where there is nothing to print."""
    supervisor = supervisor_of(LOCAL)
    state = load(LOCAL.state)
    if supervisor is None:
        console.line("The platform is not running here. `make run` starts it.")
        return NOT_RUNNING
    if state is None:
        console.line(f"The platform is being started (pid {supervisor.pid}).")
        return 0
    since = datetime.timedelta(seconds=int(time.time() - state.begun))
    word = "runs" if state.ready else "is being started"
    console.heading(f"The platform {word} (pid {supervisor.pid}, for {since}).\n")
    for line in table(("process", "pid", "state", "where"), _rows(state)):
        console.line(line)
    console.line()
    for line in places_table(state.places):
        console.line(line)
    return 0


def say_already_running(console: Console) -> int:
    """What a second `make run` says; 0, since what was asked for is there."""
    supervisor = supervisor_of(LOCAL)
    pid = f" (pid {supervisor.pid})" if supervisor else ""
    console.line(f"The platform runs here already{pid}.")
    console.line("  make send    sends the demo again")
    console.line("  make status  says where everything is")
    console.line("  make stop    stops it")
    return 0


def places_table(places: dict[str, str]) -> list[str]:
    """One line for each place, its name padded."""
    width = max(map(len, places), default=0)
    return [f"{name:{width}}  {place}" for name, place in places.items()]


def _rows(state: State) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for child in state.children:
        url = state.health.get(child.name, "")
        if not child.identity.alive:
            word = "ended"
        elif url:
            status = answers(url)
            word = WORDS.get(status, f"HTTP {status}")
        else:
            word = "runs"
        rows.append((child.name, str(child.pid), word, url))
    return rows
