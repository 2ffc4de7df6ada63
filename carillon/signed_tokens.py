"""Short tokens that only we can have made: what they say, signed, fit for a URL.

The form is base64url, without padding, of the payload and the first 16 bytes of an HMAC-SHA-256
over it. A forger has one chance in 2**128.
"""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

_MAC_BYTES = 16


class TokenSigner:
    """Signs with the first of `secrets`, and knows again what any of them signed."""

    def __init__(self, purpose: bytes, secrets: tuple[str, ...], *, longest: int) -> None:
        """`purpose` keeps these signatures apart from whatever else a secret signs.

        A token of more than `longest` characters is not even decoded.
        """
        # Keyed once: a copy costs a tenth of a new one, and every notification takes one.
        self._keyed = tuple(hmac.new(s.encode(), purpose, "sha256") for s in secrets)
        self._longest = longest

    def sign(self, payload: bytes) -> str:
        """URL-safe characters alone."""
        signed = payload + _mac(self._keyed[0], payload)
        return urlsafe_b64encode(signed).rstrip(b"=").decode("ascii")

    def payload_of(self, token: str) -> bytes:
        """What was signed; empty where nobody with our secrets signed it."""
        signed = self._decoded(token)
        if len(signed) <= _MAC_BYTES:
            return b""
        payload, mac = signed[:-_MAC_BYTES], signed[-_MAC_BYTES:]
        # All of them, so that the time does not tell which.
        genuine = [hmac.compare_digest(mac, _mac(keyed, payload)) for keyed in self._keyed]
        return payload if any(genuine) else b""

    def _decoded(self, token: str) -> bytes:
        """Empty where it is no base64url, or not the one spelling of what it says."""
        if not 0 < len(token) <= self._longest or not token.isascii():
            return b""
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return b""
        return raw if urlsafe_b64encode(raw).rstrip(b"=") == token.encode() else b""


def _mac(keyed: hmac.HMAC, payload: bytes) -> bytes:
    own = keyed.copy()
    own.update(payload)
    return own.digest()[:_MAC_BYTES]
