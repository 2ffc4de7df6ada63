"""Finds ports on loopback that nobody listens on."""

import atexit
import random
import socket
import sys
from collections.abc import Iterable, Mapping

from deploy.local.errors import StackError

HOST = "127.0.0.1"
# Below the range from which Linux takes the source ports of outgoing connections (32768 up), so
# that no connection sits on a port between the moment it is chosen and the moment it is used.
PRIVATE_PORTS = range(20_000, 32_000)

# What holds the ports that this process was given, until it ends.
_held: dict[int, socket.socket] = {}


def is_free(port: int) -> bool:
    """True where a server could listen on `port` of loopback now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # As servers do: a port whose last connections are in TIME_WAIT is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return not accepts(port)


def accepts(port: int, timeout: float = 0.5) -> bool:
    """True where somebody accepts connections on `port`, whatever address they bound."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        client.settimeout(timeout)
        return client.connect_ex((HOST, port)) == 0


def next_free(preferred: int, avoid: Iterable[int] = ()) -> int:
    """`preferred`, or the next higher free port that is not in `avoid`; raises StackError."""
    taken = set(avoid)
    for port in range(preferred, min(preferred + 1000, 65536)):
        if port not in taken and is_free(port):
            return port
    raise StackError(f"no free port from {preferred} to {preferred + 999}")


def allot(preferred: dict[str, int]) -> dict[str, int]:
    """A free port for each name: its preferred one, or the next that nobody else prefers."""
    allotted: dict[str, int] = {}
    for name, port in preferred.items():
        others = {wanted for other, wanted in preferred.items() if other != name}
        allotted[name] = next_free(port, others | set(allotted.values()))
    return allotted


def chosen_port(name: str, default: int, given: Mapping[str, str]) -> int:
    """The port in <NAME>_PORT, or the default; raises StackError for what is no port."""
    setting = f"{name.upper()}_PORT"
    value = given.get(setting, str(default))
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise StackError(f"Setting {setting} is not a port: {value!r} (for example {default})")
    return int(value)


def private_port() -> int:
    """A free port far from those that people choose, at random; raises StackError.

    Nobody else who asks here, in this process or in another of this machine, is given the same one
    while this process lives: a server may listen on it seconds later, stop, and start again.
    """
    for _ in range(200):
        port = random.choice(PRIVATE_PORTS)  # noqa: S311
        if is_free(port) and _hold(port):
            return port
    raise StackError(f"no free port among 200 tried in {PRIVATE_PORTS}")


def _hold(port: int) -> bool:
    """False where somebody was given it."""
    if port in _held:
        return False
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if sys.platform == "linux":
        try:
            # A name without a file (unix(7): abstract), which goes with the process.
            holder.bind(f"\0carillon-port-{port}")
        except OSError:
            holder.close()
            return False
    _held[port] = holder
    return True


@atexit.register
def _let_go() -> None:
    for holder in _held.values():
        holder.close()
