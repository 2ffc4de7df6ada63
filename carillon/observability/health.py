"""Health: named checks, run at once, each within a bound of time."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from carillon import __version__

log = structlog.get_logger(__name__)

Check = Callable[[], None]

TIMEOUT_SECONDS = 3.0
KEPT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One dependency's answer; `error` is the kind of failure, never its text."""

    name: str
    healthy: bool
    latency_ms: float
    error: str = ""


class HealthChecks:
    """Runs the checks of a process. A check returns, or raises anything to say "unhealthy".

    Answers are kept for a second, so that eager probes do not become load.
    """

    def __init__(
        self, service: str, checks: Mapping[str, Check], *, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        self.service = service
        self._checks = dict(checks)
        self._timeout = timeout
        self._pool = ThreadPoolExecutor(
            max_workers=max(1, 2 * len(self._checks)), thread_name_prefix="health"
        )
        self._kept: tuple[float, list[CheckResult]] = (-KEPT_SECONDS, [])

    def run(self) -> list[CheckResult]:
        """Every check's result, in order, within the timeout."""
        at, results = self._kept
        if time.monotonic() - at < KEPT_SECONDS:
            return results
        started = time.monotonic()
        futures = {name: self._pool.submit(_timed, check) for name, check in self._checks.items()}
        results = [
            self._collect(name, future, started + self._timeout) for name, future in futures.items()
        ]
        self._kept = (time.monotonic(), results)
        return results

    def report(self) -> tuple[bool, dict[str, Any]]:
        """Whether all is well, and the body of `/health/` (reference 003)."""
        results = self.run()
        healthy = all(result.healthy for result in results)
        return healthy, {
            "status": "healthy" if healthy else "unhealthy",
            "timestamp": datetime.now(UTC).isoformat(),
            "service": self.service,
            "version": __version__,
            "checks": {
                result.name: {
                    "status": "healthy" if result.healthy else "unhealthy",
                    "latency_ms": round(result.latency_ms, 1),
                    **({"error": result.error} if result.error else {}),
                }
                for result in results
            },
        }

    def _collect(self, name: str, future: "Future[float]", deadline: float) -> CheckResult:
        try:
            latency = future.result(timeout=max(0.0, deadline - time.monotonic()))
        except FutureTimeoutError:
            future.cancel()
            return CheckResult(name, False, self._timeout * 1000, "timeout")
        except Exception as error:  # noqa: BLE001  whatever a dependency raises is its answer
            log.warning("dependency unhealthy", dependency=name, error=repr(error))
            return CheckResult(name, False, 0.0, type(error).__name__)
        return CheckResult(name, True, latency)


def _timed(check: Check) -> float:
    started = time.perf_counter()
    check()
    return (time.perf_counter() - started) * 1000
