"""Accepts notifications: composes, reserves, stores, and answers a repeat as the first time."""

import time
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import DatabaseError, transaction

from carillon.contracts import ids
from carillon.contracts.status import Status
from carillon.errors import Reason
from carillon.web.errors import ApiError
from gateway.admission import reservations
from gateway.admission.claims import Claim, FrequencyCap, Reservation
from gateway.admission.errors import QuotaExceeded, RequestIDConflict, RequestInProgress
from gateway.admission.foresight import Held
from gateway.notifications import counting, metrics, storage
from gateway.notifications.asked import Accepted, Asked
from gateway.notifications.composition import Composition, compose
from gateway.notifications.lookup import Lookup
from gateway.notifications.recipients import Recipient
from gateway.organizations.limits import monthly_quota
from gateway.tracking.rewriting import tracked

IN_FLIGHT_SECONDS = 30


def accept_notification(asked: Asked, lookup: Lookup, held: Held | None = None) -> Accepted:
    """Store the notification and the promise to send it, or raise why not.

    A request_id that was answered before is answered again, whatever has changed since: templates
    go, quotas run out and times pass, the first answer stands.

    What is `held` for it is taken if it is what it takes. Whoever holds it gives it back otherwise.
    """
    started = time.perf_counter()
    now = held.claim.at if held else datetime.now(UTC)
    try:
        composed = compose(asked, lookup, now)
        composed_at = time.perf_counter()
        metrics.COMPOSE_SECONDS.observe(composed_at - started)
        try:
            new = new_notification(
                asked, composed, now, notification_id=held.claim.notification_id if held else None
            )
            return _store(asked, composed, new, held)
        finally:
            metrics.STORE_SECONDS.observe(time.perf_counter() - composed_at)
    except ApiError:
        earlier = _earlier(asked) if asked.request_id else None
        if earlier is None:
            raise
        return earlier


def _store(
    asked: Asked, composed: Composition, new: storage.NewNotification, held: Held | None = None
) -> Accepted:
    reservation = None
    if new.status is Status.REJECTED:
        # Kept so that it can be looked up; nothing is sent, so nothing is counted.
        stored = storage.insert(new)
    else:
        try:
            claim = claim_for(asked, composed, new)
            reservation = held.take(claim) if held else None
            reservation = reservation or _reserve(asked, claim)
        except _AnsweredBefore as before:
            return before.answer
        except reservations.Capped:
            reason = Reason.FREQUENCY_CAPPED.value
            return _store(
                asked,
                composed,
                msgspec.structs.replace(new, status=Status.REJECTED, reason=reason),
            )
        stored = _insert_reserved(new, reservation)
    if not stored:
        earlier = _earlier(asked)
        if earlier is None:
            raise RequestInProgress
        return earlier
    return Accepted(
        notification_id=ids.format_id(ids.NOTIFICATION, new.id),
        status=new.status,
        reason=new.reason,
        request_id=new.request_id,
        correlation_id=new.correlation_id,
        month=reservation.month_state() if reservation else None,
    )


class _AnsweredBefore(Exception):
    """There is an answer to an earlier request with this request_id."""

    def __init__(self, answer: Accepted) -> None:
        super().__init__(answer)
        self.answer = answer


def _reserve(asked: Asked, claim: Claim) -> Reservation:
    """Raises _AnsweredBefore, RequestInProgress, or what `reservations.reserve` raises."""
    try:
        return reservations.reserve(claim)
    except reservations.Began as began:
        earlier = _earlier(asked)
        if earlier is not None:
            raise _AnsweredBefore(earlier) from None
        if began.age < IN_FLIGHT_SECONDS:
            raise RequestInProgress from None
    # It died on its way; this one takes its place.
    reservations.forget_request(claim)
    return reservations.reserve(claim)


def _insert_reserved(new: storage.NewNotification, reservation: Reservation) -> bool:
    """Insert and settle the reservation. False where the request_id is taken.

    After a database error nobody knows whether the row is there: the reservation is left to be
    settled by what PostgreSQL says later, and the client may try again at once.
    """
    try:
        stored = insert_within_quota(new, reservation)
    except QuotaExceeded:
        reservations.release(reservation)
        reservations.must_recount(reservation.claim)
        raise
    except DatabaseError:
        reservations.forget_request(reservation.claim)
        raise
    if stored:
        reservations.commit(reservation)
    else:
        reservations.release(reservation)
    return stored


def insert_within_quota(new: storage.NewNotification, reservation: Reservation) -> bool:
    """Insert; what Redis could not count is counted first, while nobody else inserts.

    False where the request_id is taken. Raises QuotaExceeded and Django's database errors.
    """
    if not reservation.must_count:
        return storage.insert(new)
    claim = reservation.claim
    with transaction.atomic():
        counting.lock_quota(new.organization_id)
        used = counting.count_since(new.organization_id, claim.month.start)
        if claim.quota is not None and used >= claim.quota:
            raise reservations.exceeded(claim)
        return storage.insert(new)


def new_notification(
    asked: Asked, composed: Composition, now: datetime, *, notification_id: UUID | None = None
) -> storage.NewNotification:
    """All that is stored of it, with a new id unless it has one."""
    notification_id = notification_id or ids.new_uuid()
    body = asked.body
    return storage.NewNotification(
        id=notification_id,
        organization_id=asked.organization_id,
        request_id=asked.request_id or f"req_{notification_id.hex}",
        request_digest=asked.digest,
        correlation_id=asked.correlation_id,
        channel=body.notification_type,
        mode=asked.caller.mode,
        status=composed.status,
        reason=composed.reason,
        lane=composed.lane,
        priority=body.priority,
        category=composed.category,
        delivery=composed.delivery,
        user_id=composed.recipient.user_id,
        template_code=body.template_code,
        template_version=composed.template_version,
        language=composed.language,
        metadata=body.metadata,
        scheduled_at=composed.scheduled_at,
        expires_at=body.expires_at,
        created_at=now,
        addresses=composed.recipient.addresses,
        recipient_name=composed.recipient.name,
        content=tracked(
            composed.content,
            notification_id,
            opens=composed.track_opens,
            clicks=composed.track_clicks,
        ),
        traceparent=asked.traceparent,
        expect_receipt_within=composed.expect_receipt_within,
        fallback=composed.fallback,
    )


def claim_for(asked: Asked, composed: Composition, new: storage.NewNotification) -> Claim:
    """What a composed notification takes of the limits, if it is not rejected."""
    return claim_of(
        asked,
        new.id,
        at=new.created_at,
        recipient=composed.recipient,
        cap=composed.cap,
        send_at=new.scheduled_at,
        is_otp=composed.is_otp,
    )


def claim_of(
    asked: Asked,
    notification_id: UUID,
    *,
    at: datetime,
    recipient: Recipient,
    cap: FrequencyCap | None,
    send_at: datetime | None,
    is_otp: bool,
) -> Claim:
    """What a notification that is not rejected takes of the limits."""
    caller, who = asked.caller, recipient.limit_key
    exempt = is_otp and settings.GATEWAY.recipient_limit.exempt_otp
    organization_id = caller.organization_id
    return Claim(
        notification_id=notification_id,
        organization_id=organization_id,
        request_id=asked.request_id,
        at=at,
        quota=monthly_quota(caller),
        recipient=None if exempt else who,
        channel=asked.body.notification_type,
        cap=cap.claim(organization_id, caller.mode, who, send_at or at) if cap else None,
    )


def _earlier(asked: Asked) -> Accepted | None:
    """The answer of the first request with this request_id. Raises RequestIDConflict."""
    stored = storage.find(asked.organization_id, asked.request_id)
    if stored is None:
        return None
    if stored.request_digest != asked.digest:
        raise RequestIDConflict
    return Accepted(
        notification_id=ids.format_id(ids.NOTIFICATION, stored.id),
        status=Status(stored.status),
        reason=stored.reason,
        request_id=asked.request_id,
        correlation_id=stored.correlation_id,
        replayed=True,
    )
