"""Settings: read once per process, from the environment, then `.local/env`, then `.env`."""

import os
from collections import ChainMap
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from decouple import Config, RepositoryEnv, UndefinedValueError

ROOT = Path(__file__).resolve().parent.parent
# The local stack writes its addresses and secrets to the first; people write the second.
# SETTINGS_FILES names others, separated by ":", or none: tests must not read a person's own.
DEFAULT_FILES = os.pathsep.join((str(ROOT / ".local" / "env"), str(ROOT / ".env")))
FILES = tuple(
    Path(name) for name in os.environ.get("SETTINGS_FILES", DEFAULT_FILES).split(os.pathsep) if name
)

WEAK_SECRETS = frozenset({"", "secret", "changeme", "change-me", "password", "guest"})
# What docker-compose.yml has for defaults begins so; everybody knows them.
PUBLIC_PREFIX = "local-only-"
# Characters. `openssl rand -hex 32` gives 64.
LEAST_SECRET, LEAST_PRODUCTION_SECRET = 16, 32
# A secret of fewer different characters was typed, not drawn.
LEAST_VARIETY = 5


class SettingsError(SystemExit):
    """A missing or malformed setting: stops the start with its name and an example."""

    def __init__(self, name: str, problem: str, example: str) -> None:
        super().__init__(
            f"Setting {name} {problem}. Set it in the environment or in .env, "
            f"for example {name}={example} (every setting is explained in .env.example; "
            f"`make run` starts a local stack that needs none)."
        )
        self.name = name


class Environment:
    """Typed reads of settings. Each raises SettingsError where the value is missing or bad."""

    def __init__(self, files: tuple[Path, ...] = FILES) -> None:
        found: list[dict[str, Any]] = [RepositoryEnv(str(f)).data for f in files if f.is_file()]
        self._config = Config(ChainMap(*found))

    def text(self, name: str, default: str | None = None, *, example: str = "value") -> str:
        """A string; an empty value counts as missing."""
        value = self._read(name)
        if value:
            return value
        if default is None:
            raise SettingsError(name, "is missing", example)
        return default

    def integer(self, name: str, default: int, *, least: int = 0, most: int = 2**31 - 1) -> int:
        """An integer in `least..most`."""
        value = self.text(name, str(default))
        try:
            number = int(value)
        except ValueError:
            raise SettingsError(name, f"is not a whole number: {value!r}", str(default)) from None
        if not least <= number <= most:
            raise SettingsError(name, f"is not within {least}..{most}: {number}", str(default))
        return number

    def number(self, name: str, default: float, *, least: float = 0, most: float = 1e9) -> float:
        """A finite number in `least..most`."""
        value = self.text(name, str(default))
        try:
            number = float(value)
        except ValueError:
            raise SettingsError(name, f"is not a number: {value!r}", str(default)) from None
        if not least <= number <= most:
            raise SettingsError(name, f"is not within {least}..{most}: {number}", str(default))
        return number

    def flag(self, name: str, default: bool) -> bool:
        """true/false, yes/no, on/off or 1/0."""
        value = self.text(name, str(default)).lower()
        if value in {"true", "yes", "on", "1"}:
            return True
        if value in {"false", "no", "off", "0"}:
            return False
        raise SettingsError(name, f"is neither true nor false: {value!r}", "true")

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """One of `choices`."""
        value = self.text(name, default)
        if value not in choices:
            raise SettingsError(name, f"is none of {', '.join(choices)}: {value!r}", default)
        return value

    def names(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """A comma-separated list; blanks are dropped."""
        value = self.text(name, ",".join(default) or " ,")
        return tuple(part.strip() for part in value.split(",") if part.strip())

    def url(
        self, name: str, *, schemes: tuple[str, ...], example: str, default: str | None = None
    ) -> str:
        """A URL with one of `schemes` and a host, without a trailing slash."""
        value = self.text(name, default, example=example)
        try:
            parts = urlsplit(value)
            usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            # The value may hold a password: it is not repeated.
            raise SettingsError(name, f"is not a {' or '.join(schemes)} URL", example)
        if self.is_production and (parts.password or "").startswith(PUBLIC_PREFIX):
            raise SettingsError(name, "has a password that everybody knows", example)
        return value.rstrip("/")

    def secrets(self, name: str, *, example: str) -> tuple[str, ...]:
        """One or two comma-separated secrets (the first is used, both are accepted)."""
        values = tuple(v.strip() for v in self.text(name, example=example).split(","))
        least = LEAST_PRODUCTION_SECRET if self.is_production else LEAST_SECRET
        if any(v.lower() in WEAK_SECRETS or len(v) < least for v in values):
            raise SettingsError(name, f"is too weak: use {least} characters or more", example)
        if self.is_production:
            if any(v.startswith(PUBLIC_PREFIX) for v in values):
                raise SettingsError(name, "is a default that everybody knows", example)
            if any(len(set(v)) < LEAST_VARIETY for v in values):
                raise SettingsError(name, "is too weak: draw it at random", example)
        return values

    @property
    def is_production(self) -> bool:
        """ENVIRONMENT says so, or says nothing. Raises SettingsError for any other word."""
        return self.choice("ENVIRONMENT", "production", ("production", "local")) == "production"

    def _read(self, name: str) -> str:
        """The value without blanks around it; empty where there is none."""
        try:
            return str(self._config(name)).strip()
        except UndefinedValueError:
            return ""


class GivenSettings(Environment):
    """Settings from a mapping alone: nothing of the process or its files shows through."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(files=())
        self._values = dict(values)

    def _read(self, name: str) -> str:
        return self._values.get(name, "").strip()
