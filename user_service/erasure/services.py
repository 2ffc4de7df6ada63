"""Remembers who was erased, and tells the gateway until it has answered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import msgspec
import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from prometheus_client import Counter, Gauge

from carillon.clients.http import InternalHTTP, ServiceDown
from user_service.erasure.models import PendingErasure

log = structlog.get_logger(__name__)

ERASE_PATH = "/internal/users/erase/"
TOGETHER = 50
# Seconds. The gateway may have years of messages to clear.
READ_SECONDS = 60.0
FIRST_DELAY = 60.0
LONGEST_DELAY = 3_600.0

TOLD = Counter(
    "carillon_erasures_told_total",
    "Erased users whom the gateway was told of: done, or failed and to be told again.",
    ["outcome"],
)
PENDING = Gauge(
    "carillon_erasures_pending",
    "Erased users whose copies the gateway has not cleared yet.",
    multiprocess_mode="mostrecent",
)


@dataclass(frozen=True, slots=True)
class Told:
    """What became of those that were due."""

    done: int = 0
    failed: int = 0


def remember_erasure(organization_id: str, user_id: str) -> None:
    """Within the transaction that erases: told are those alone that are gone."""
    PendingErasure.objects.create(
        organization_id=organization_id, user_id=user_id, due_at=timezone.now()
    )


def tell_due(*, everything: bool = False) -> Told:
    """Tell the gateway of up to TOGETHER users; of `everything` also those that are put off.

    No lock and no transaction is held meanwhile, and telling twice does no harm: the gateway clears
    what is left. Raises Django's database errors.
    """
    done = failed = 0
    for erasure in _claimed(everything=everything):
        if _is_cleared(erasure):
            erasure.delete()
            done += 1
        else:
            failed += 1
    TOLD.labels("done").inc(done)
    TOLD.labels("failed").inc(failed)
    PENDING.set(PendingErasure.objects.count())
    return Told(done, failed)


def delay_after(attempts: int) -> timedelta:
    """How long to leave the gateway alone after so many attempts: doubling, an hour at most."""
    return timedelta(seconds=min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempts, 20)))


def _claimed(*, everything: bool) -> list[PendingErasure]:
    """The next ones, put off already: whoever dies on the way has them told again later."""
    now = timezone.now()
    with transaction.atomic():
        waiting = PendingErasure.objects.select_for_update(skip_locked=True)
        if not everything:
            waiting = waiting.filter(due_at__lte=now)
        claimed = list(waiting.order_by("due_at")[:TOGETHER])
        for erasure in claimed:
            _put_off(erasure, now)
        PendingErasure.objects.bulk_update(claimed, ["due_at", "attempts"])
    return claimed


def _put_off(erasure: PendingErasure, now: datetime) -> None:
    erasure.due_at = now + delay_after(erasure.attempts)
    erasure.attempts += 1


def _is_cleared(erasure: PendingErasure) -> bool:
    body = msgspec.json.encode({"user_id": erasure.user_id})
    try:
        answer = _gateway().call(
            "POST",
            ERASE_PATH,
            organization_id=erasure.organization_id,
            body=body,
            read_timeout=READ_SECONDS,
        )
    except ServiceDown:
        return False
    if answer.status != 200:
        log.error("the gateway refused an erasure", status=answer.status, user_id=erasure.user_id)
        return False
    log.info("the gateway cleared its copies of a user", user_id=erasure.user_id)
    return True


@cache
def _gateway() -> InternalHTTP:
    return InternalHTTP("gateway", settings.GATEWAY_URL, settings.CARILLON.internal_secrets[0])
