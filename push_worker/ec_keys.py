"""The P-256 keys with which Apple's and the web's push services are asked to trust us."""

import base64
import binascii
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from carillon.settings import SettingsError

_SCALAR_BYTES = 32
_LONGEST_PATH = 1_000


def load_key(setting: str, value: str, example: str) -> ec.EllipticCurvePrivateKey:
    """A private key from its PEM, a file that holds it, or its 32 bytes in URL-safe Base64.

    Raises SettingsError, which repeats neither the value nor the cause: both may hold the key.
    """
    try:
        scalar = _scalar(value)
        if scalar is not None:
            return ec.derive_private_key(scalar, ec.SECP256R1())
        pem = value.encode() if value.lstrip().startswith("-----") else _file(value)
        key = load_pem_private_key(pem, password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError(setting, "holds no private key", example) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SettingsError(setting, "holds a key that is not of the curve P-256", example)
    return key


def url_safe(data: bytes) -> str:
    """Base64 as web standards write it: URL-safe, without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_url_safe(text: str) -> bytes:
    """The reverse of `url_safe`; padding and the other alphabet are accepted. Raises ValueError."""
    normal = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return base64.b64decode(normal + "=" * (-len(normal) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not Base64") from error


def _scalar(value: str) -> int | None:
    try:
        data = from_url_safe(value.strip())
    except ValueError:
        return None
    return int.from_bytes(data, "big") if len(data) == _SCALAR_BYTES else None


def _file(value: str) -> bytes:
    """Raises OSError or ValueError."""
    if len(value) > _LONGEST_PATH:
        raise ValueError("not a path")
    return Path(value).read_bytes()
