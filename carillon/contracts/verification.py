"""Testing an organization's account with a provider: what travels between the gateway and a worker.

The gateway alone can decrypt an account, and a worker alone has the providers' clients. So the
gateway notes that a check is wanted and puts a request into a short-lived list in Redis; a worker
of the channel takes it, fetches the account, calls `verify` of its provider, and tells the gateway
what came of it. The request names the account and holds no secret.
"""

from enum import StrEnum
from uuid import UUID

import msgspec

REQUEST_VERSION = 1
# How long a check is waited for. Whoever looks later reads that nobody answered.
ANSWER_SECONDS = 60
MESSAGE_LENGTH = 300
CODE_LENGTH = 50


class VerificationStatus(StrEnum):
    """What is known of an account's credentials.

    `unverifiable`: the provider has no call that would tell without sending something.
    """

    UNVERIFIED = "unverified"
    PENDING = "pending"
    VERIFIED = "verified"
    FAILED = "failed"
    UNVERIFIABLE = "unverifiable"


ENDS = frozenset(
    {VerificationStatus.VERIFIED, VerificationStatus.FAILED, VerificationStatus.UNVERIFIABLE}
)
"""How a check may end."""


class VerificationRequest(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One check of one account."""

    version: int = REQUEST_VERSION
    verification_id: UUID
    account_id: str
    organization_id: str
    correlation_id: str = ""


class VerificationResult(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What came of it, in words for people that hold no secret; `reason` and `code` of a failure.

    `reason` is one of `carillon.errors.Reason`, `code` the provider's own.
    """

    status: VerificationStatus
    message: str
    reason: str = ""
    code: str = ""


class UnreadableRequest(ValueError):
    """Bytes that are no request, or one of a version that this release cannot read."""


_decoder = msgspec.json.Decoder(VerificationRequest)


def requests_key(channel: str) -> str:
    """The list in Redis from which the workers of a channel take requests, oldest first."""
    return f"carillon:verify:{channel}"


def encode_request(request: VerificationRequest) -> bytes:
    """The request as UTF-8 JSON."""
    return msgspec.json.encode(request)


def decode_request(octets: bytes) -> VerificationRequest:
    """Raises UnreadableRequest."""
    try:
        request = _decoder.decode(octets)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UnreadableRequest(str(error)) from error
    if request.version > REQUEST_VERSION:
        raise UnreadableRequest(f"version {request.version} is newer than {REQUEST_VERSION}")
    return request
