"""The events process's settings, read once into a frozen object."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from carillon.contracts.channels import CHANNELS
from carillon.settings import Environment, SettingsError
from gateway.deliveries.retry import RetryPolicy

# Seconds: 5 s, 30 s, 2 min, 10 min, 1 h.
DELAYS = (5.0, 30.0, 120.0, 600.0, 3600.0)
DELAY_MOST = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class ReconcileSettings:
    """When a notification counts as stuck. Times are in seconds.

    `stuck_after` should be longer than a job ever waits in its queue: what is published again too
    early costs the workers a look-up each. `give_up_after` should be shorter than the workers
    remember what they have done.
    """

    interval: float
    stuck_after: float
    give_up_after: float
    most: int

    @classmethod
    def read(cls, env: Environment) -> "ReconcileSettings":
        """Raises SettingsError."""
        stuck_after = env.number("RECONCILE_STUCK_AFTER", 3600.0, least=1)
        return cls(
            interval=env.number("RECONCILE_INTERVAL", 60.0, least=1),
            stuck_after=stuck_after,
            give_up_after=env.number(
                "RECONCILE_GIVE_UP_AFTER", max(86_400.0, stuck_after), least=stuck_after
            ),
            most=env.integer("RECONCILE_BATCH", 500, least=1, most=10_000),
        )

    def bounded(
        self, stuck_after: float | None, give_up_after: float | None
    ) -> "ReconcileSettings":
        """With these bounds in place of the settings', where they are given."""
        return replace(
            self,
            stuck_after=self.stuck_after if stuck_after is None else stuck_after,
            give_up_after=self.give_up_after if give_up_after is None else give_up_after,
        )


@dataclass(frozen=True, slots=True)
class EventsSettings:
    """How delivery events are consumed, and what follows from a temporary failure."""

    batch: int
    batch_wait: float
    prefetch: int
    retry_policies: Mapping[str, RetryPolicy]
    reconcile: ReconcileSettings
    # Seconds between two looks for devices that the user service does not know to be dead.
    dead_devices_interval: float
    host: str
    port: int

    @classmethod
    def read(cls, env: Environment) -> "EventsSettings":
        """Raises SettingsError."""
        batch = env.integer("EVENTS_BATCH", 500, least=1, most=5_000)
        return cls(
            batch=batch,
            batch_wait=env.number("EVENTS_BATCH_WAIT_MS", 50, most=10_000) / 1000,
            # One batch is being applied while the next arrives.
            prefetch=env.integer("EVENTS_PREFETCH", 4 * batch, least=batch, most=65_535),
            retry_policies=read_retry_policies(env),
            reconcile=ReconcileSettings.read(env),
            dead_devices_interval=env.number("DEAD_DEVICES_INTERVAL", 5.0, least=0.1, most=3600),
            host=env.text("HEALTH_HOST", "127.0.0.1"),
            port=env.integer("EVENTS_PORT", 9102, most=65_535),
        )


def read_retry_policies(env: Environment) -> dict[str, RetryPolicy]:
    """Every channel's policy: MAX_ATTEMPTS and RETRY_DELAYS, or EMAIL_MAX_ATTEMPTS and so on.

    Raises SettingsError.
    """
    attempts = env.integer("MAX_ATTEMPTS", 5, least=1, most=100)
    delays = _delays(env, "RETRY_DELAYS", DELAYS)
    most = env.number("RETRY_AFTER_MAX", 86_400.0, least=1, most=DELAY_MOST)
    return {
        channel: RetryPolicy(
            max_attempts=env.integer(
                f"{channel.upper()}_MAX_ATTEMPTS", attempts, least=1, most=100
            ),
            delays=_delays(env, f"{channel.upper()}_RETRY_DELAYS", delays),
            retry_after_most=most,
        )
        for channel in CHANNELS
    }


def _delays(env: Environment, name: str, default: tuple[float, ...]) -> tuple[float, ...]:
    """Comma-separated seconds, at least one. Raises SettingsError."""
    example = ",".join(f"{delay:g}" for delay in DELAYS)
    try:
        delays = tuple(float(text) for text in env.names(name, tuple(map(str, default))))
    except ValueError:
        raise SettingsError(name, "is not a list of seconds", example) from None
    if not delays or not all(0 <= delay <= DELAY_MOST for delay in delays):
        raise SettingsError(name, f"is not a list of 0..{DELAY_MOST:g} seconds", example)
    return delays
