"""A Google service account: signs for itself and trades the signature for an access token.

https://developers.google.com/identity/protocols/oauth2/service-account#httprest
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from carillon.contracts.provider import OutcomeUnknown
from carillon.errors import PermanentFailure, Reason, TemporaryFailure
from carillon.settings import Environment, SettingsError
from carillon.worker.providers.http import Answer, ProviderHTTP, failure_of, require_tls

SETTING = "FCM_SERVICE_ACCOUNT"
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105  an address
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# The longest that Google allows an assertion to live.
_ASSERTION_SECONDS = 3600
# A token is renewed this long before it ends: calls under way still carry the old one.
_MARGIN_SECONDS = 300

_PERMANENT = {
    "invalid_grant": Reason.CONFIGURATION,  # revoked key, or a clock that is wrong
    "invalid_client": Reason.CONFIGURATION,
    "invalid_scope": Reason.CONFIGURATION,
    "unauthorized_client": Reason.CONFIGURATION,
    "invalid_request": Reason.CONFIGURATION,
}
_TEMPORARY = {
    "temporarily_unavailable": Reason.PROVIDER_UNAVAILABLE,
    "internal_failure": Reason.PROVIDER_UNAVAILABLE,
}


class _KeyFile(msgspec.Struct):
    """What is needed of the JSON that the Google console hands out."""

    project_id: str
    client_email: str
    private_key: str
    private_key_id: str = ""
    token_uri: str = TOKEN_URI


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """An identity at Google, and the project that it belongs to."""

    project: str
    email: str
    key: RSAPrivateKey = field(repr=False)
    key_id: str = ""
    token_uri: str = TOKEN_URI

    @classmethod
    def from_environment(cls, env: Environment) -> "ServiceAccount":
        """FCM_SERVICE_ACCOUNT: the key file's path, or its JSON. Raises SettingsError."""
        example = "/run/secrets/firebase-service-account.json"
        value = env.text("FCM_SERVICE_ACCOUNT", example=example)
        try:
            content = value.encode() if value.startswith("{") else Path(value).read_bytes()
            found = msgspec.json.decode(content, type=_KeyFile)
            key = load_pem_private_key(found.private_key.encode(), password=None)
        except (OSError, ValueError, TypeError, msgspec.MsgspecError, UnsupportedAlgorithm):
            # Neither the value nor the cause is repeated: both may hold the key.
            raise SettingsError(SETTING, "is no service account's key file", example) from None
        if not isinstance(key, RSAPrivateKey):
            raise SettingsError(SETTING, "holds a key that is not RSA", example)
        uri = require_tls(SETTING, found.token_uri)
        return cls(found.project_id, found.client_email, key, found.private_key_id, uri)

    def assertion(self, now: float) -> str:
        """A signed JWT that asks for an access token."""
        claims = {
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.token_uri,
            "iat": int(now),
            "exp": int(now) + _ASSERTION_SECONDS,
        }
        headers = {"kid": self.key_id} if self.key_id else None
        return jwt.encode(claims, self.key, algorithm="RS256", headers=headers)


class AccessToken:
    """The current access token, renewed by one thread while the others wait for it."""

    def __init__(
        self,
        account: ServiceAccount,
        *,
        timeout: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._account = account
        self._clock = clock
        self._http = ProviderHTTP(account.token_uri, timeout=timeout)
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def get(self) -> str:
        """Raises TemporaryFailure or PermanentFailure; never OutcomeUnknown: nothing was sent."""
        with self._lock:
            if self._clock() >= self._until:
                self._renew()
            return self._token

    def forget(self, token: str) -> None:
        """The token was refused: renew it, unless another thread has."""
        with self._lock:
            if token == self._token:
                self._until = 0.0

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def _renew(self) -> None:
        now = self._clock()
        form = {"grant_type": GRANT, "assertion": self._account.assertion(now)}
        try:
            answer = self._http.post_form("", form)
        except OutcomeUnknown as lost:
            raise _no_token(lost.code) from None
        said = answer.fields
        token, seconds = said.get("access_token"), said.get("expires_in")
        usable = isinstance(token, str) and token.isascii() and token.isprintable()
        if answer.status != 200 or not token or not usable or not isinstance(seconds, int):
            raise _refusal(answer)
        self._token = str(token)
        self._until = now + max(0, seconds - _MARGIN_SECONDS)


def _refusal(answer: Answer) -> PermanentFailure | TemporaryFailure:
    code = str(answer.fields.get("error") or "")
    failure = failure_of(answer, code, permanent=_PERMANENT, temporary=_TEMPORARY)
    if isinstance(failure, PermanentFailure):
        # Whatever it is about, it is not about the message.
        return PermanentFailure(
            "Google refuses our service account.", reason=Reason.CONFIGURATION, code=failure.code
        )
    return failure if isinstance(failure, TemporaryFailure) else _no_token(failure.code)


def _no_token(code: str) -> TemporaryFailure:
    return TemporaryFailure("Google gave no access token.", code=code)
