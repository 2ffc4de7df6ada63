"""`make send`: the demo again, against the running platform."""

from deploy.local.console import Console
from deploy.local.demo import send_demo
from deploy.local.errors import StackError
from deploy.local.paths import LOCAL
from deploy.local.private_files import read_values
from deploy.local.state import load, supervisor_of
from deploy.local.status import places_table


def main(_arguments: list[str], console: Console) -> int:
    """Send and wait; 0 if all were delivered. Raises StackError where nothing runs."""
    settings = read_values(LOCAL.env)
    if supervisor_of(LOCAL) is None or not settings:
        raise StackError("The platform is not running here. `make run` starts it.")
    delivered = send_demo(settings, console)
    state = load(LOCAL.state)
    console.line()
    for line in places_table(state.places if state else {}):
        console.line(f"  {line}")
    return 0 if delivered else 1
