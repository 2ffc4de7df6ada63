"""A double of Apple's push service, as its documentation shows the answers.

https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
"""

import re
import time
from functools import cache
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from carillon.testing.http_double import Reply, Request
from push_worker.apns_token import SigningKey

KEY_ID, TEAM_ID, TOPIC = "ABC123DEFG", "DEF123GHIJ", "com.example.app"
TOKEN = "c0ffee" * 10 + "beef"
_PATH = re.compile(r"/3/device/([0-9a-fA-F]+)")
_HEADERS = {
    "apns-id": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "apns-topic": re.escape(TOPIC),
    "apns-push-type": "alert|background",
    "apns-priority": "10|5|1",
    "apns-expiration": r"\d+",
    "apns-collapse-id": r".{1,64}",
}
_REFUSALS = {
    "apns-id": "BadMessageId",
    "apns-topic": "TopicDisallowed",
    "apns-push-type": "InvalidPushType",
    "apns-priority": "BadPriority",
    "apns-expiration": "BadExpirationDate",
    "apns-collapse-id": "BadCollapseId",
}


@cache
def private_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def pem() -> str:
    """As the .p8 file that Apple hands out."""
    return private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def signing_key() -> SigningKey:
    return SigningKey(private_key(), KEY_ID, TEAM_ID)


class Apple:
    """Checks what Apple checks; `dead` are tokens with what to answer to them."""

    def __init__(self) -> None:
        self.dead: dict[str, Reply] = {}
        self.tokens: list[str] = []
        # Signed before this time counts as expired.
        self.not_before = 0.0
        self.public = (
            private_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )

    def __call__(self, request: Request) -> Reply:
        found = _PATH.fullmatch(request.path)
        if found is None:
            return refusal(404, "BadPath")
        problem = self._token_problem(request.headers.get("authorization", ""))
        if problem:
            return refusal(403, problem)
        for name, form in _HEADERS.items():
            value = request.headers.get(name)
            if value is not None and not re.fullmatch(form, value):
                return refusal(400, _REFUSALS[name])
        if len(request.body) > 4096:
            return refusal(413, "PayloadTooLarge")
        if found[1] in self.dead:
            return self.dead[found[1]]
        if "aps" not in msgspec.json.decode(request.body):
            return refusal(400, "PayloadEmpty")
        return Reply(200, headers={"apns-id": request.headers["apns-id"]}, took=True)

    def _token_problem(self, header: str) -> str:
        scheme, _, token = header.partition(" ")
        if scheme != "bearer":
            return "MissingProviderToken"
        self.tokens.append(token)
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self.public, algorithms=["ES256"], options={"verify_iat": False}
            )
        except jwt.InvalidTokenError:
            return "InvalidProviderToken"
        right = jwt.get_unverified_header(token).get("kid") == KEY_ID
        if not right or claims.get("iss") != TEAM_ID:
            return "InvalidProviderToken"
        old = time.time() - claims["iat"] > 3600 or claims["iat"] < self.not_before
        return "ExpiredProviderToken" if old else ""


def refusal(status: int, reason: str, wait: str = "") -> Reply:
    said: dict[str, object] = {"reason": reason}
    if status == 410:
        said["timestamp"] = 1_700_000_000_000
    return Reply(status, said, {"Retry-After": wait} if wait else {})
