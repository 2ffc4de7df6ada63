"""Checks of an account's credentials: asked for here, made by a worker, and told back.

The request travels through a list in Redis that lives as long as a check is waited for: an answer
that comes an hour later is of no use, so nothing durable carries it
(docs/decisions/0013-verifying-accounts.md).
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import redis
import structlog
from django.db import transaction
from django.db.models import QuerySet

from carillon.contracts import ids
from carillon.contracts.verification import (
    ANSWER_SECONDS,
    VerificationRequest,
    VerificationResult,
    VerificationStatus,
    encode_request,
    requests_key,
)
from gateway.admission.errors import RateLimitExceeded
from gateway.connections import redis_client
from gateway.provider_accounts import metrics
from gateway.provider_accounts.errors import (
    ProviderAccountNotFound,
    VerificationNotFound,
    VerificationUnavailable,
)
from gateway.provider_accounts.models import ProviderAccount
from gateway.provider_accounts.selectors import get_account, is_waiting, list_accounts

log = structlog.get_logger(__name__)

# A provider counts refused logins, and an account's owner is not the only one to guess passwords.
PAUSE_SECONDS = 10
TOO_SOON = f"An account can be verified once in {PAUSE_SECONDS} seconds."
ORGANIZATION_MOST = 20
ORGANIZATION_SECONDS = 60
# Of one channel; the oldest are dropped, and time out.
REQUESTS_MOST = 1_000

_FIELDS = (
    "verification_status",
    "verification_id",
    "verification_reason",
    "verification_code",
    "verification_message",
    "verification_requested_at",
    "verification_checked_at",
)


def ask_verification(organization_id: str, account_id: str, correlation_id: str) -> ProviderAccount:
    """Have a worker check the account; while that is awaited, asking again changes nothing.

    Raises ProviderAccountNotFound, RateLimitExceeded or VerificationUnavailable.
    """
    account = get_account(organization_id, account_id)
    now = datetime.now(UTC)
    if _is_underway(account, now):
        return account
    _count(organization_id, account.channel)
    with transaction.atomic():
        locked = (
            list_accounts(organization_id)
            .select_for_update(no_key=True)
            .filter(pk=account_id)
            .first()
        )
        if locked is None:
            raise ProviderAccountNotFound
        # Another request may have been first.
        if _is_underway(locked, now):
            return locked
        before = {name: getattr(locked, name) for name in _FIELDS}
        forget_verification(locked)
        locked.verification_status = VerificationStatus.PENDING.value
        locked.verification_id = verification_id = ids.new_uuid()
        locked.verification_requested_at = now
        # `updated_at` tells of changes by the owner.
        locked.save(update_fields=_FIELDS)
    try:
        _hand_over(locked, verification_id, correlation_id)
    except redis.RedisError as error:
        _of_check(locked, verification_id).update(**before)
        raise _unavailable(locked.channel, error) from error
    metrics.VERIFICATIONS.labels(locked.channel, "asked").inc()
    log.info("provider account verification asked", **_named(locked))
    return locked


def keep_result(
    organization_id: str, account_id: str, verification_id: UUID, result: VerificationResult
) -> None:
    """Store what a worker found; the first answer to a check stands.

    One that comes late, but before anybody asked again, is still worth more than none. Raises
    ProviderAccountNotFound, or VerificationNotFound where it is about an earlier check or about
    other credentials.
    """
    account = get_account(organization_id, account_id)
    stored = _of_check(account, verification_id).update(
        verification_status=result.status.value,
        verification_reason=result.reason,
        verification_code=result.code,
        verification_message=result.message,
        verification_checked_at=datetime.now(UTC),
    )
    metrics.VERIFICATIONS.labels(account.channel, result.status.value if stored else "late").inc()
    log.info(
        "provider account verification told",
        **_named(account),
        status=result.status.value,
        reason=result.reason,
        stored=bool(stored),
    )
    if not stored:
        raise VerificationNotFound


def forget_verification(account: ProviderAccount) -> None:
    """What was found, or is being looked for, is about other credentials; does not save.

    When it was last asked stays: new credentials are no way around the pause.
    """
    account.verification_status = VerificationStatus.UNVERIFIED.value
    account.verification_id = None
    account.verification_reason = ""
    account.verification_code = ""
    account.verification_message = ""
    account.verification_checked_at = None


def _is_underway(account: ProviderAccount, now: datetime) -> bool:
    """Raises RateLimitExceeded where the last check is too short a time ago."""
    if is_waiting(account, now):
        return True
    asked = account.verification_requested_at
    if asked is not None:
        wait = (asked + timedelta(seconds=PAUSE_SECONDS) - now).total_seconds()
        if wait > 0:
            raise RateLimitExceeded(TOO_SOON, wait)
    return False


def _count(organization_id: str, channel: str) -> None:
    """Raises RateLimitExceeded or VerificationUnavailable."""
    key = f"carillon:verify:of:{organization_id}"
    try:
        with redis_client().pipeline() as pipe:
            pipe.set(key, 0, ex=ORGANIZATION_SECONDS, nx=True)
            pipe.incr(key)
            pipe.ttl(key)
            _, used, seconds = pipe.execute()
    except redis.RedisError as error:
        raise _unavailable(channel, error) from error
    if used > ORGANIZATION_MOST:
        raise RateLimitExceeded(
            f"An organization can verify {ORGANIZATION_MOST} accounts in "
            f"{ORGANIZATION_SECONDS} seconds.",
            seconds,
        )


def _hand_over(account: ProviderAccount, verification_id: UUID, correlation_id: str) -> None:
    """Raises RedisError; then it may or may not have been handed over."""
    request = VerificationRequest(
        verification_id=verification_id,
        account_id=account.pk,
        organization_id=account.organization_id,
        correlation_id=correlation_id,
    )
    key = requests_key(account.channel)
    with redis_client().pipeline() as pipe:
        pipe.rpush(key, encode_request(request))
        pipe.ltrim(key, -REQUESTS_MOST, -1)
        pipe.expire(key, ANSWER_SECONDS)
        pipe.execute()


def _of_check(account: ProviderAccount, verification_id: UUID) -> "QuerySet[ProviderAccount]":
    """The account, as long as this check of it has no answer."""
    return ProviderAccount.objects.filter(
        pk=account.pk,
        organization_id=account.organization_id,
        verification_id=verification_id,
        verification_status=VerificationStatus.PENDING.value,
    )


def _unavailable(channel: str, error: redis.RedisError) -> VerificationUnavailable:
    metrics.VERIFICATIONS.labels(channel, "unavailable").inc()
    log.warning("redis failed", error=type(error).__name__)
    return VerificationUnavailable()


def _named(account: ProviderAccount) -> dict[str, str]:
    return {
        "account": account.pk,
        "channel": account.channel,
        "provider": account.provider,
        "verification": str(account.verification_id),
    }
