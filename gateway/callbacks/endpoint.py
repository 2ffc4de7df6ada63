"""`/callbacks/<provider>/…`: public, without a key; a signature is the permission.

They are no calls of the API: each provider prescribes its own body, and none of them reads ours. So
they are not in the API's description, but in docs/callbacks.md. `/callbacks/<provider>/` is of the
platform's own account, `/callbacks/<provider>/<account id>/` of an organization's.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from carillon.contracts import ids
from gateway.admission.client_addresses import count_against
from gateway.callbacks import metrics
from gateway.callbacks.accounts import account_verifiers
from gateway.callbacks.errors import (
    CallbackRefused,
    CannotVerify,
    TooLarge,
    TooMany,
    Unreadable,
    Unverified,
)
from gateway.callbacks.providers.meta import MetaCallbacks
from gateway.callbacks.registry import callback_providers, has_proof, is_known
from gateway.callbacks.requests import Callback, CallbackProvider
from gateway.callbacks.services.inbox import keep_events

log = structlog.get_logger(__name__)

RETRY_SECONDS: Final = 30
# Of one callback; services send some thousands at most.
EVENTS_MOST: Final = 20_000
PLATFORM: Final = "platform"
ORGANIZATION: Final = "organization"

# What a refusal is called in the metric, and answered with.
_ANSWERS: Final[tuple[tuple[type[Exception], str, int], ...]] = (
    (Unverified, "unverified", 403),
    (Unreadable, "unreadable", 400),
    (TooLarge, "too_large", 413),
    (TooMany, "too_many", 429),
    (CannotVerify, "unavailable", 503),
    (DatabaseError, "unavailable", 503),
    (InterfaceError, "unavailable", 503),
)


@dataclass(frozen=True, slots=True)
class _Address:
    """What stands in the path: `account_id` is empty for the platform's own."""

    provider: str
    account_id: str
    token: str

    @property
    def owner(self) -> str:
        """As the metric names it."""
        return ORGANIZATION if self.account_id else PLATFORM


# There is no cookie that another site could make a browser send along.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def callback(request: HttpRequest, provider: str, token: str = "") -> HttpResponse:
    """200 once all that it says is kept; nothing of it is applied yet."""
    if ids.parse_id(ids.PROVIDER_ACCOUNT, token) is not None:
        return account_callback(request, provider, token)
    platforms = callback_providers(settings.GATEWAY.callbacks)
    is_there = is_known(provider) if request.method == "HEAD" else provider in platforms
    return _answered(request, _Address(provider, "", token)) if is_there else _not_found()


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def account_callback(
    request: HttpRequest, provider: str, account_id: str, token: str = ""
) -> HttpResponse:
    """The same for an organization's own account; whether there is one, nobody is told."""
    is_id = ids.parse_id(ids.PROVIDER_ACCOUNT, account_id) is not None
    if not is_id or not is_known(provider):
        return _not_found()
    return _answered(request, _Address(provider, account_id, token))


def _answered(request: HttpRequest, address: _Address) -> HttpResponse:
    if request.method == "HEAD":
        # Mandrill looks whether somebody is there before it tells its key.
        return HttpResponse(status=200)
    if request.method == "GET" and address.provider != MetaCallbacks.name:
        return HttpResponse(status=405, headers={"Allow": "HEAD, POST"})
    try:
        if request.method == "GET":
            return _challenged(request, address)
        _take(address, _callback(request, address.token))
    except (CallbackRefused, DatabaseError, InterfaceError) as error:
        return _refused(address, error)
    return HttpResponse(status=200)


def _take(address: _Address, said: Callback) -> None:
    """Raises CallbackRefused, or Django's database errors: nothing of it is kept."""
    if not has_proof(address.provider, said):
        raise Unverified("nothing that could be verified")
    provider, organization = _verifier(address)
    provider.verify(said)
    if organization is not None:
        _count(organization)
    events = list(islice(provider.read(said), EVENTS_MOST + 1))
    if len(events) > EVENTS_MOST:
        raise TooLarge("more reports than we take at once")
    kept = keep_events(events, at=said.received_at, organization=organization)
    metrics.CALLBACKS.labels(address.provider, address.owner, "accepted").inc()
    metrics.RECEIVED.labels(address.provider, "kept").inc(kept)
    metrics.RECEIVED.labels(address.provider, "repeated").inc(len(events) - kept)


def _verifier(address: _Address) -> tuple[CallbackProvider, UUID | None]:
    """Raises Unverified where nobody could verify it, or Django's database errors."""
    if not address.account_id:
        return callback_providers(settings.GATEWAY.callbacks)[address.provider], None
    found = account_verifiers().find(address.account_id, address.provider)
    if found is None:
        raise Unverified("no such account, or its callbacks are not set")
    return found.provider, found.organization


def _count(organization: UUID) -> None:
    """A client could fill the inbox in its own name. Raises TooMany."""
    most = settings.GATEWAY.callbacks.account_limit
    if not count_against("callbacks", str(organization), most=most, seconds=60).allowed:
        raise TooMany(f"more than {most} a minute of {organization}")


def _challenged(request: HttpRequest, address: _Address) -> HttpResponse:
    """Meta alone asks, before it reports to an address."""
    provider, _ = _verifier(address)
    if not isinstance(provider, MetaCallbacks):
        raise Unverified("not of Meta")
    return HttpResponse(
        provider.challenge(request.GET.dict()),
        content_type="text/plain",
        headers={"X-Content-Type-Options": "nosniff"},
    )


def _callback(request: HttpRequest, token: str) -> Callback:
    """Raises TooLarge or Unreadable."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    in_chunks = bool(request.META.get("HTTP_TRANSFER_ENCODING"))
    limit = settings.GATEWAY.callbacks.body_limit
    if in_chunks or not length.isdecimal() or int(length) > limit:
        raise TooLarge("the body is too large, or comes in chunks")
    try:
        # Not `body`, whose limit is Django's, for forms that people send.
        body = request.read()
    except UnreadablePostError as error:
        raise Unreadable("the connection broke") from error
    return Callback(
        # As the provider was told it, whatever a proxy made of it.
        url=f"{settings.GATEWAY.public_url}{request.get_full_path()}",
        headers=request.headers,
        body=body,
        received_at=datetime.now(UTC),
        token=token,
    )


def _not_found() -> HttpResponse:
    return HttpResponse(status=404)


def _refused(address: _Address, error: Exception) -> HttpResponse:
    """Without a word: who forges learns nothing. Our log says why."""
    result, status = next(
        (result, status) for kind, result, status in _ANSWERS if isinstance(error, kind)
    )
    metrics.CALLBACKS.labels(address.provider, address.owner, result).inc()
    log.warning(
        "a callback was refused",
        provider=address.provider,
        account=address.account_id,
        result=result,
        why=repr(error),
    )
    headers = {"Retry-After": str(RETRY_SECONDS)} if status in {429, 503} else {}
    return HttpResponse(status=status, headers=headers)
