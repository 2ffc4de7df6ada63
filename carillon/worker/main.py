"""What a worker's `__main__` calls: settings, providers, run, until a signal says stop."""

import argparse
import gc
import itertools
import signal
import threading
from collections.abc import Mapping
from types import FrameType

import structlog

from carillon.observability import logging, tracing
from carillon.observability.health import HealthChecks
from carillon.observability.server import OperationsServer
from carillon.settings import Environment
from carillon.worker import doctor
from carillon.worker.accounts.setup import AccountSetup, account_setup
from carillon.worker.processes import ProcessGroup, is_child, report_port, stop_with_parent
from carillon.worker.registry import ConfiguredProvider, ProviderFactory, configured_providers
from carillon.worker.runner import Runner
from carillon.worker.settings import WorkerSettings, load
from carillon.worker.verification.setup import verifier_of
from carillon.worker.verification.verifier import Verifier

log = structlog.get_logger(__name__)

# For a check that is under way when everything else has stopped: its owner can ask again.
VERIFIER_SECONDS = 0.5

# See gc.set_threshold; Python's own are 700, 10, 10.
COLLECTOR = (10_000, 20, 20)

Registry = Mapping[str, Mapping[str, ProviderFactory]]
"""Provider factories by channel and name."""


def run(worker: str, registry: Registry, *, threads: int) -> int:
    """Run `worker` until SIGTERM or SIGINT; returns the exit status.

    `threads` is the default for each of its channels. Raises SettingsError before anything starts.
    With the argument `doctor` it looks over what it needs instead.
    """
    options = _arguments(worker)
    env = Environment()
    logging.configure(worker, env)
    settings = load(worker, env, threads=threads)
    if options.command == "doctor":
        return doctor.run(settings, registry, env, as_json=options.json)
    tracing.configure(worker, env)
    providers = {
        channel.name: configured_providers(channel.name, registry[channel.name], env)
        for channel in settings.channels
    }
    accounts = account_setup(registry, env)
    if accounts is None:
        log.warning(
            "provider accounts of organizations are neither used nor verified: "
            "GATEWAY_URL or INTERNAL_API_SECRET is not set"
        )
    stop = stop_on_signals()
    if settings.processes > 1 and not is_child():
        for each in itertools.chain.from_iterable(providers.values()):
            each.provider.close()
        return ProcessGroup(settings).run(stop)
    return serve(
        settings,
        providers,
        stop=stop,
        accounts=accounts,
        verifier=verifier_of(settings, registry, env),
    )


def _arguments(worker: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m {worker}",
        description="Deliver what is in the queues until told to stop (SIGTERM or SIGINT).",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    examine = commands.add_parser(
        "doctor", help="check settings, providers, Redis and RabbitMQ; send nothing"
    )
    examine.add_argument("--json", action="store_true", help="a JSON array for programs")
    return parser.parse_args()


def serve(
    settings: WorkerSettings,
    providers: Mapping[str, tuple[ConfiguredProvider, ...]],
    *,
    stop: threading.Event,
    accounts: AccountSetup | None = None,
    verifier: Verifier | None = None,
) -> int:
    """Run one process's work until `stop` is set: 0 where nothing was left behind, else 1."""
    runner = Runner(settings, providers, accounts)

    def alive() -> bool:
        return runner.alive() and (verifier is None or verifier.alive)

    health = HealthChecks(settings.worker, runner.checks())
    # A child is asked by its parent, which has the port that people know.
    host, port = ("127.0.0.1", 0) if is_child() else (settings.host, settings.port)
    with OperationsServer(host=host, port=port, health=health, alive=alive) as server:
        if is_child():
            report_port(server.port)
            stop_with_parent(stop)
        _calm_collector()
        runner.start()
        if verifier is not None:
            verifier.start()
        stop.wait()
        if verifier is not None:
            verifier.stop()
        complete = runner.stop()
        if verifier is not None:
            verifier.close(VERIFIER_SECONDS)
        return 0 if complete else 1


def _calm_collector() -> None:
    """Garbage is looked for less often, and not among what was there at the start.

    A job makes some hundred objects and no cycles; the default looks at them every few jobs.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR)


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set; a second signal changes nothing."""
    stop = threading.Event()

    def told(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, told)
    return stop
