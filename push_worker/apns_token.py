"""The signed token that tells Apple's push service whose pushes these are.

https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns
"""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from carillon.settings import Environment, SettingsError
from push_worker.ec_keys import load_key

# Apple refuses tokens older than an hour, and accounts that renew more often than every 20 minutes.
RENEW_AFTER_SECONDS = 50 * 60
LEAST_BETWEEN_SECONDS = 20 * 60

_ID = re.compile(r"[A-Z0-9]{10}")
_KEY_EXAMPLE = "/run/secrets/AuthKey_ABC123DEFG.p8"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of an Apple developer team."""

    key: EllipticCurvePrivateKey = field(repr=False)
    key_id: str
    team_id: str

    @classmethod
    def from_environment(cls, env: Environment) -> "SigningKey":
        """APNS_KEY (a path or the PEM itself), APNS_KEY_ID, APNS_TEAM_ID. Raises SettingsError."""
        value = env.text("APNS_KEY", example=_KEY_EXAMPLE)
        key = load_key("APNS_KEY", value, _KEY_EXAMPLE)
        return cls(
            key, _id(env, "APNS_KEY_ID", "ABC123DEFG"), _id(env, "APNS_TEAM_ID", "DEF123GHIJ")
        )


class ProviderToken:
    """The current token; any thread may ask for it."""

    def __init__(self, key: SigningKey, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._signed_at = 0.0
        self._forced_at = float("-inf")

    def get(self) -> str:
        """Signed at most 50 minutes ago."""
        now = self._clock()
        with self._lock:
            if not self._token or not 0 <= now - self._signed_at < RENEW_AFTER_SECONDS:
                self._sign(now)
            return self._token

    def renewed(self, refused: str) -> str | None:
        """Another token than `refused`; None where there may be none yet."""
        now = self._clock()
        with self._lock:
            if self._token != refused:
                return self._token
            if abs(now - self._forced_at) < LEAST_BETWEEN_SECONDS:
                return None
            self._forced_at = now
            self._sign(now)
            return self._token

    def _sign(self, now: float) -> None:
        claims = {"iss": self._key.team_id, "iat": int(now)}
        headers = {"kid": self._key.key_id}
        self._token = jwt.encode(claims, self._key.key, algorithm="ES256", headers=headers)
        self._signed_at = now


def _id(env: Environment, name: str, example: str) -> str:
    value = env.text(name, example=example)
    if not _ID.fullmatch(value):
        raise SettingsError(name, "is not an id of ten capitals and digits", example)
    return value
