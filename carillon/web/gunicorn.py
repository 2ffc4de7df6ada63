"""gunicorn's configuration for the three services: `-c python:carillon.web.gunicorn`.

WEB_CONCURRENCY worker processes (default 4) of WEB_THREADS threads (default 4): measured
steadier than fewer processes of more threads. Where there are at least as many processes as CPUs,
each stays on one (docs/decisions/0019), unless WEB_PIN_PROCESSES is false.
"""

import os
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from carillon.settings import Environment

# prometheus_client chooses its mode when it is first imported.
_is_temporary = "PROMETHEUS_MULTIPROC_DIR" not in os.environ
if _is_temporary:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="carillon-metrics-")
_metrics_folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
_metrics_folder.mkdir(parents=True, exist_ok=True)

_env = Environment()

workers = _env.integer("WEB_CONCURRENCY", 4, least=1, most=256)
threads = _env.integer("WEB_THREADS", 4, least=1, most=256)
# Not on all systems; where it is known, it is what a container or `taskset` left us.
_cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
_is_pinned = _env.flag("WEB_PIN_PROCESSES", True) and 1 < len(_cpus) <= workers
worker_class = "gthread"
timeout = 30
graceful_timeout = 25
keepalive = 75
max_requests = 0
accesslog = None
errorlog = "-"
loglevel = "warning"
# gunicorn's own limits; nothing here needs more.
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 16380
# A heartbeat file on disk can stall a worker on a slow volume.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
# It would open a socket below $HOME, which is read-only in containers.
control_socket_disable = True


def on_starting(_server: Any) -> None:
    """Metrics of a previous run must not be summed into this one's."""
    for left_over in _metrics_folder.glob("*.db"):
        left_over.unlink(missing_ok=True)


def on_exit(_server: Any) -> None:
    """A folder that nobody named goes with the master; only kill -9 leaves one behind."""
    if _is_temporary:
        shutil.rmtree(_metrics_folder, ignore_errors=True)


def pre_fork(server: Any, worker: Any) -> None:
    """Choose a CPU that no other process has more to do with."""
    taken = Counter(other.cpu for other in server.WORKERS.values())
    worker.cpu = min(_cpus, key=lambda cpu: taken[cpu], default=None)


def post_fork(_server: Any, worker: Any) -> None:
    """Stay there, with all of the threads that come, and count in this process's memory first."""
    # The program is not loaded yet, and so has no metrics.
    from carillon.observability import deferred_values

    deferred_values.install()
    if _is_pinned:
        # It may have been taken from the container since, or be none of a process's business there.
        with suppress(OSError):
            os.sched_setaffinity(0, {worker.cpu})


def child_exit(_server: Any, worker: Any) -> None:
    """Gauges of a dead worker go with it; its counters stay."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
