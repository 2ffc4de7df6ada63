"""The relay's settings, read once into a frozen object."""

from dataclasses import dataclass

from carillon.settings import Environment


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """How the relay takes and publishes windows. Times are in seconds."""

    window: int
    windows_in_flight: int
    publish_timeout: float
    poll_least: float
    poll_most: float
    depth_interval: float
    returned_delay: float
    host: str
    port: int

    @classmethod
    def read(cls, env: Environment) -> "RelaySettings":
        """Raises SettingsError."""
        least = env.number("RELAY_POLL_MIN_MS", 10, least=1, most=60_000)
        return cls(
            window=env.integer("RELAY_WINDOW", 500, least=1, most=5_000),
            windows_in_flight=env.integer("RELAY_WINDOWS_IN_FLIGHT", 2, least=1, most=8),
            # The rows of a window stay locked for so long at most.
            publish_timeout=env.number("RELAY_PUBLISH_TIMEOUT", 10.0, least=0.5, most=60),
            poll_least=least / 1000,
            poll_most=env.number("RELAY_POLL_MAX_MS", max(100, least), least=least, most=60_000)
            / 1000,
            depth_interval=env.number("RELAY_DEPTH_INTERVAL", 5.0, least=0.1, most=3600),
            returned_delay=env.number("RELAY_RETURNED_DELAY", 15.0, least=0.1, most=3600),
            host=env.text("HEALTH_HOST", "127.0.0.1"),
            port=env.integer("RELAY_PORT", 9101, most=65_535),
        )
