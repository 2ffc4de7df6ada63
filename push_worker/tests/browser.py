"""A browser that subscribed to pushes, and a double of its push service.

The service checks what RFC 8030 and RFC 8292 ask for; the browser reads what RFC 8291 lets it.
"""

import os
import re
from functools import cache
from typing import Any

import http_ece
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from carillon.testing.http_double import Reply, Request
from push_worker.ec_keys import from_url_safe, url_safe
from push_worker.vapid import VAPIDKey

SUBJECT = "mailto:push@example.com"
_VAPID = re.compile(r"vapid t=([\w.-]+), k=([\w-]+)")


@cache
def application_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def scalar() -> str:
    """The private key as the usual generators print it."""
    return url_safe(application_key().private_numbers().private_value.to_bytes(32, "big"))


def vapid_key() -> VAPIDKey:
    return VAPIDKey(application_key(), SUBJECT)


class Browser:
    """One subscription, with the keys that only the browser has."""

    def __init__(self, origin: str, path: str = "/wpush/v2/canary-endpoint-77") -> None:
        self.path = path
        self.endpoint = f"{origin}{path}"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)

    @property
    def token(self) -> str:
        """As user_service stores it."""
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": url_safe(point), "auth": url_safe(self._auth)}
        return msgspec.json.encode({"endpoint": self.endpoint, "keys": keys}).decode()

    def read(self, body: bytes) -> Any:
        """The content that was meant for it. Raises where it was not."""
        plain = http_ece.decrypt(
            body, private_key=self._key, auth_secret=self._auth, version="aes128gcm"
        )
        return msgspec.json.decode(plain)


class PushService:
    """Takes pushes for a browser, or refuses them as the RFCs say."""

    def __init__(self) -> None:
        self.browser: Browser | None = None
        self.origin = ""
        self.tokens: list[str] = []

    def __call__(self, request: Request) -> Reply:
        if self.browser is None or request.path != self.browser.path:
            return Reply(404)
        if not re.fullmatch(r"\d+", request.headers.get("TTL", "")):
            return Reply(400, {"reason": "TTL"})
        if not re.fullmatch(r"[\w-]{1,32}", request.headers.get("Topic", "-")):
            return Reply(400, {"reason": "Topic"})
        if request.headers.get("Urgency") not in {"very-low", "low", "normal", "high"}:
            return Reply(400, {"reason": "Urgency"})
        if request.headers.get("Content-Encoding") != "aes128gcm":
            return Reply(400, {"reason": "Content-Encoding"})
        if not self._is_ours(request.headers.get("Authorization", "")):
            return Reply(401)
        if len(request.body) > 4096:
            return Reply(413)
        self.browser.read(request.body)
        return Reply(201, headers={"Location": f"{self.origin}/m/secret-of-this-push"}, took=True)

    def _is_ours(self, header: str) -> bool:
        found = _VAPID.fullmatch(header)
        if found is None:
            return False
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_url_safe(found[2]))
        self.tokens.append(found[1])
        claims = jwt.decode(found[1], key, algorithms=["ES256"], audience=self.origin)
        return claims["sub"] == SUBJECT and found[2] == vapid_key().public
