"""VAPID: how we tell a browser's push service who we are (RFC 8292)."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from carillon.settings import Environment, SettingsError
from push_worker.ec_keys import load_key, url_safe

# At most a day (RFC 8292, 2); services with slow clocks refuse what is near it.
_VALID_SECONDS = 12 * 3600
_RENEW_SECONDS = 3600
# One for each push service: there are a handful.
_MOST_TOKENS = 100
_KEY_EXAMPLE = "/run/secrets/vapid.pem"
_SUBJECT_EXAMPLE = "mailto:push@example.com"


@dataclass(frozen=True, slots=True)
class VAPIDKey:
    """The key that subscriptions were made with, and whom a push service may write to."""

    key: EllipticCurvePrivateKey = field(repr=False)
    subject: str

    @classmethod
    def from_environment(cls, env: Environment) -> "VAPIDKey":
        """WEBPUSH_PRIVATE_KEY and WEBPUSH_SUBJECT. Raises SettingsError."""
        value = env.text("WEBPUSH_PRIVATE_KEY", example=_KEY_EXAMPLE)
        subject = env.text("WEBPUSH_SUBJECT", example=_SUBJECT_EXAMPLE)
        if not re.fullmatch(r"mailto:[^\s@]+@[^\s@]+|https://\S+", subject):
            raise SettingsError(
                "WEBPUSH_SUBJECT", "is neither mailto: nor https:", _SUBJECT_EXAMPLE
            )
        return cls(load_key("WEBPUSH_PRIVATE_KEY", value, _KEY_EXAMPLE), subject)

    @property
    def public(self) -> str:
        """What web apps give to `pushManager.subscribe` as `applicationServerKey`."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return url_safe(point)


class VAPIDTokens:
    """The Authorization of each push service, signed anew an hour before its end."""

    def __init__(self, key: VAPIDKey, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._public = key.public
        self._clock = clock
        self._lock = threading.Lock()
        self._of: dict[str, tuple[str, float]] = {}

    def authorization(self, origin: str) -> str:
        """For calls to the service at `origin` ("https://push.example.com")."""
        now = self._clock()
        with self._lock:
            header, until = self._of.get(origin, ("", 0.0))
            if not now < until - _RENEW_SECONDS:
                if len(self._of) >= _MOST_TOKENS:
                    self._of.clear()
                until = now + _VALID_SECONDS
                header = self._sign(origin, int(until))
                self._of[origin] = (header, until)
            return header

    def _sign(self, origin: str, until: int) -> str:
        claims = {"aud": origin, "exp": until, "sub": self._key.subject}
        return f"vapid t={jwt.encode(claims, self._key.key, algorithm='ES256')}, k={self._public}"
