"""A process that counts, as a web service's does: `python -m … SCENARIO`, told by stdin to end."""

import os
import sys
import threading
import time

from prometheus_client import Counter, Gauge, Histogram

from carillon.observability import deferred_values
from carillon.observability.metrics import exposition

deferred_values.install()
SEEN = Counter("seen_total", "Things that were seen.", ["kind"])
TOOK = Histogram("took_seconds", "What they took.", buckets=(1, 2))
OPEN = Gauge("open_now", "Things that are open.", multiprocess_mode="livesum")


def count(times: int) -> None:
    """Some of everything."""
    for _ in range(times):
        SEEN.labels("plain").inc()
        TOOK.observe(1.5)
    OPEN.set(times)


def fork() -> None:
    """A child that counts beside its parent, which has not written its own yet."""
    count(5)
    child = os.fork()
    count(3)
    if child:
        os.waitpid(child, 0)


def fork_and_vanish() -> None:
    """A child that ends without a word, after its thread had its time."""
    deferred_values.EVERY_SECONDS = 0.05
    count(5)
    child = os.fork()
    count(3)
    if child:
        os.waitpid(child, 0)
    else:
        while is_anything_pending():
            time.sleep(0.01)
        os._exit(0)


def is_anything_pending() -> bool:
    """Whether the thread has still something to write."""
    writer = deferred_values._writer
    assert writer is not None
    with writer.lock:
        return any(value._pending for value in writer._values)


def threads() -> None:
    """Many threads, one counter, and a writer who is always in between."""
    deferred_values.EVERY_SECONDS = 0.001
    sys.setswitchinterval(1e-5)
    crowd = [threading.Thread(target=count, args=(5_000,)) for _ in range(8)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()


def wait() -> None:
    """Count, say so, and stay."""
    count(4)
    sys.stdout.write("counted\n")
    sys.stdout.flush()
    sys.stdin.read()


def scrape() -> None:
    """Count, and say at once what there is."""
    count(2)
    sys.stdout.write(exposition().decode())


SCENARIOS = {each.__name__: each for each in (fork, fork_and_vanish, threads, wait, scrape)}

if __name__ == "__main__":
    SCENARIOS[sys.argv[1]]()
