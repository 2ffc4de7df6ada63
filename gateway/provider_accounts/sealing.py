"""Credentials encrypted at rest: Fernet (AES-128-CBC and HMAC-SHA-256), with keys that can change.

A token holds the account's and the organization's ids beside the credentials: one that was copied
into another row does not open.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"carillon provider accounts"


class Unreadable(Exception):
    """Sealed with a key that is no longer in CREDENTIALS_KEYS, or for another account."""


class _Sealed(msgspec.Struct, frozen=True):
    account: str
    organization: str
    credentials: dict[str, str]

    def __repr__(self) -> str:
        """Never the credentials."""
        return f"_Sealed({self.account})"


_decoder = msgspec.json.Decoder(_Sealed)


class CredentialSealer:
    """Seals with the first of the secrets, and opens what any of them sealed."""

    def __init__(self, secrets: Sequence[str]) -> None:
        keys = [Fernet(_key(secret)) for secret in secrets]
        self._newest = keys[0]
        self._keys = MultiFernet(keys)

    def seal(self, account_id: str, organization_id: str, credentials: dict[str, str]) -> bytes:
        """The token to store."""
        content = _Sealed(account_id, organization_id, credentials)
        return self._newest.encrypt(msgspec.json.encode(content))

    def unseal(self, account_id: str, organization_id: str, token: bytes) -> dict[str, str]:
        """The credentials. Raises Unreadable."""
        try:
            content = _decoder.decode(self._keys.decrypt(token))
        except (InvalidToken, msgspec.MsgspecError):
            # Without the cause: its text may quote what was opened.
            raise Unreadable from None
        if (content.account, content.organization) != (account_id, organization_id):
            raise Unreadable
        return content.credentials

    def is_newest(self, token: bytes) -> bool:
        """Whether the first of the secrets sealed it."""
        try:
            self._newest.decrypt(token)
        except InvalidToken:
            return False
        return True

    def renew(self, token: bytes) -> bytes:
        """The same content, sealed with the first of the secrets. Raises Unreadable."""
        try:
            return self._keys.rotate(token)
        except InvalidToken:
            raise Unreadable from None


def _key(secret: str) -> bytes:
    """A Fernet key of a secret of any length, as the other secrets are drawn (RFC 5869)."""
    derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PURPOSE)
    return urlsafe_b64encode(derive.derive(secret.encode()))
