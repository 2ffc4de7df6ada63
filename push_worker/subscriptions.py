"""A browser's push subscription: where to send, and how only that browser can read it.

https://www.w3.org/TR/push-api/#pushsubscription-interface, RFC 8291.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

import http_ece
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from carillon.errors import PermanentFailure, Reason
from push_worker.ec_keys import from_url_safe

# What a push service has to take (RFC 8030, 7.2), less the header of the one record and its tag
# (RFC 8188, 2 and 2.1).
LONGEST_PLAINTEXT = 4096 - 86 - 17
_AUTH_BYTES = 16


class _Keys(msgspec.Struct):
    p256dh: str
    auth: str


class _Stored(msgspec.Struct):
    endpoint: str
    keys: _Keys


@dataclass(frozen=True, slots=True)
class Subscription:
    """One browser of a user."""

    endpoint: str
    origin: str
    host: str
    port: int | None
    public_key: bytes
    auth: bytes

    @classmethod
    def read(cls, token: str) -> "Subscription":
        """The subscription that a device's token holds. Raises PermanentFailure."""
        try:
            stored = msgspec.json.decode(token, type=_Stored)
            parts = urlsplit(stored.endpoint)
            port = parts.port
            public_key = from_url_safe(stored.keys.p256dh)
            # A point that is not on the curve must never meet a private key.
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
            auth = from_url_safe(stored.keys.auth)
        except (msgspec.MsgspecError, ValueError):
            raise _useless() from None
        if (
            not parts.hostname
            or parts.username
            or len(auth) != _AUTH_BYTES
            or not stored.endpoint.isascii()
        ):
            raise _useless()
        origin = f"{parts.scheme}://{parts.netloc}"
        return cls(stored.endpoint, origin, parts.hostname.lower(), port, public_key, auth)

    def encrypt(self, content: bytes) -> bytes:
        """One `aes128gcm` record that only the browser can read; a new key each time."""
        encrypted: bytes = http_ece.encrypt(
            content,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=self.public_key,
            auth_secret=self.auth,
            version="aes128gcm",
        )
        return encrypted


def _useless() -> PermanentFailure:
    return PermanentFailure("The device's subscription is unusable.", reason=Reason.DEAD_TOKEN)
