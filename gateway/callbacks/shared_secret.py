"""The proof of services that sign nothing: a secret that comes along with each callback.

Where it stands is the service's choice: in a header that can be configured there, as the password
of Basic authentication (RFC 7617), as a Bearer token (RFC 6750), or at the end of the address.
"""

import binascii
import hmac
from base64 import b64decode
from typing import Final

from gateway.callbacks.errors import Unverified
from gateway.callbacks.requests import Callback

HEADER: Final = "X-Callback-Secret"


def given_secret(callback: Callback) -> str:
    """What came along; empty where nothing did."""
    return callback.headers.get(HEADER) or _authorized(callback) or callback.token


class SharedSecretCallbacks:
    """Verifies by the secret; a subclass reads what its service says."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def verify(self, callback: Callback) -> None:
        """Raises Unverified."""
        given = given_secret(callback).encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._secret):
            raise Unverified("secret")


def _authorized(callback: Callback) -> str:
    scheme, _, value = callback.headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            return _password(value)
        case _:
            return ""


def _password(value: str) -> str:
    """Of `name:password`; the name where a URL has nothing but it."""
    try:
        name, _, password = b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ""
    return password or name
