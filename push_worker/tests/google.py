"""Doubles of Google's token endpoint and of FCM's v1 API, as their documentation shows them.

https://developers.google.com/identity/protocols/oauth2/service-account#httprest
https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send
"""

import itertools
from functools import cache
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from carillon.testing.http_double import Reply, Request
from push_worker.service_account import GRANT, SCOPE, ServiceAccount

PROJECT = "carillon-test"
EMAIL = f"carillon@{PROJECT}.iam.gserviceaccount.com"
PATH = f"/v1/projects/{PROJECT}/messages:send"
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


@cache
def private_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def pem() -> str:
    octets = private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return octets.decode()


def key_file(**changes: Any) -> str:
    """The JSON that the Google console hands out."""
    fields = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "key-1",
        "private_key": pem(),
        "client_email": EMAIL,
        "client_id": "100000000000000000000",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        **changes,
    }
    return msgspec.json.encode(fields).decode()


def account(token_uri: str) -> ServiceAccount:
    return ServiceAccount(PROJECT, EMAIL, private_key(), "key-1", token_uri)


class Google:
    """Issues tokens, and takes messages that carry the newest of them."""

    def __init__(self) -> None:
        self.seconds = 3599
        self.dead: dict[str, Reply] = {}
        self._tokens = itertools.count(1)
        self._messages = itertools.count(1)
        self.token = ""

    def issue(self, request: Request) -> Reply:
        form = request.form
        assertion = form["assertion"]
        claims = jwt.decode(
            assertion,
            private_key().public_key(),
            algorithms=["RS256"],
            audience=f"http://{request.headers['Host']}",
            issuer=EMAIL,
            # Tests move their clock on: an assertion may be from the future.
            options={"require": ["iat", "exp", "aud", "iss"], "verify_iat": False},
        )
        if form["grant_type"] != GRANT or claims["scope"] != SCOPE:
            return Reply(400, {"error": "invalid_grant", "error_description": "Invalid JWT"})
        if jwt.get_unverified_header(assertion)["kid"] != "key-1":
            return Reply(400, {"error": "invalid_grant", "error_description": "Unknown key"})
        self.token = f"ya29.canary-access-token-{next(self._tokens)}"
        return Reply(
            200,
            {"access_token": self.token, "expires_in": self.seconds, "token_type": "Bearer"},
        )

    def deliver(self, request: Request) -> Reply:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return refusal(401, "UNAUTHENTICATED")
        if request.path != PATH:
            return refusal(404, "NOT_FOUND")
        message = request.json["message"]
        if message["token"] in self.dead:
            return self.dead[message["token"]]
        name = f"projects/{PROJECT}/messages/0:{next(self._messages)}%canary"
        return Reply(200, {"name": name}, took=True)


def refusal(
    status: int, word: str, code: str = "", *, message: str = "", field: str = "", wait: str = ""
) -> Reply:
    """An error as google.rpc.Status in JSON, with FCM's own detail where it has one."""
    details: list[dict[str, Any]] = []
    if code:
        details.append({"@type": FCM_ERROR, "errorCode": code})
    if field:
        violation = {"field": field, "description": "Invalid: canary-device-token-4f1d"}
        details.append({"@type": BAD_REQUEST, "fieldViolations": [violation]})
    error = {
        "code": status,
        "message": message or "Refused canary-device-token-4f1d: canary-otp-918273",
        "status": word,
        "details": details,
    }
    return Reply(status, {"error": error}, {"Retry-After": wait} if wait else {})
