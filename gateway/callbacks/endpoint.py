"""`/callbacks/<provider>/`: public, without a key; a signature is the permission.

It is no call of the API: each provider prescribes its own body, and none of them reads ours. So it
is not in the API's description, but in docs/callbacks.md.
"""

from datetime import UTC, datetime

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from gateway.callbacks import metrics
from gateway.callbacks.errors import CannotVerify, Unreadable, Unverified
from gateway.callbacks.providers.meta import MetaCallbacks
from gateway.callbacks.registry import callback_providers
from gateway.callbacks.requests import Callback, CallbackProvider
from gateway.callbacks.services.inbox import keep_events

log = structlog.get_logger(__name__)

_ANSWERS = {
    "unverified": 403,
    "unreadable": 400,
    "too_large": 413,
    "unavailable": 503,
}
RETRY_SECONDS = 30


# There is no cookie that another site could make a browser send along.
@csrf_exempt
@require_http_methods(["GET", "POST"])
def callback(request: HttpRequest, provider: str, token: str = "") -> HttpResponse:
    """200 once all that it says is kept; nothing of it is applied yet."""
    known = callback_providers(settings.GATEWAY.callbacks).get(provider)
    if known is None:
        return HttpResponse(status=404)
    if request.method == "GET":
        return _challenged(request, known)
    if _too_large(request):
        return _refused(known, "too_large", "the body is too large, or comes in chunks")
    return _taken(known, _callback(request, token))


def _taken(provider: CallbackProvider, said: Callback) -> HttpResponse:
    try:
        provider.verify(said)
        events = list(provider.read(said))
        kept = keep_events(events, at=said.received_at)
    except Unverified as error:
        return _refused(provider, "unverified", str(error))
    except Unreadable as error:
        return _refused(provider, "unreadable", str(error))
    except (CannotVerify, DatabaseError, InterfaceError) as error:
        return _refused(provider, "unavailable", repr(error))
    metrics.CALLBACKS.labels(provider.name, "accepted").inc()
    metrics.RECEIVED.labels(provider.name, "kept").inc(kept)
    metrics.RECEIVED.labels(provider.name, "repeated").inc(len(events) - kept)
    return HttpResponse(status=200)


def _challenged(request: HttpRequest, provider: CallbackProvider) -> HttpResponse:
    """Meta alone asks, before it reports to an address."""
    if not isinstance(provider, MetaCallbacks):
        return HttpResponse(status=405, headers={"Allow": "POST"})
    try:
        challenge = provider.challenge(request.GET.dict())
    except Unverified as error:
        return _refused(provider, "unverified", str(error))
    return HttpResponse(
        challenge, content_type="text/plain", headers={"X-Content-Type-Options": "nosniff"}
    )


def _callback(request: HttpRequest, token: str) -> Callback:
    return Callback(
        # As the provider was told it, whatever a proxy made of it.
        url=f"{settings.GATEWAY.public_url}{request.get_full_path()}",
        headers=request.headers,
        body=request.body,
        received_at=datetime.now(UTC),
        token=token,
    )


def _too_large(request: HttpRequest) -> bool:
    length = request.META.get("CONTENT_LENGTH") or "0"
    in_chunks = bool(request.META.get("HTTP_TRANSFER_ENCODING"))
    limit = settings.GATEWAY.callbacks.body_limit
    return in_chunks or not length.isdigit() or int(length) > limit


def _refused(provider: CallbackProvider, result: str, why: str) -> HttpResponse:
    """Without a word: who forges learns nothing. Our log says why."""
    metrics.CALLBACKS.labels(provider.name, result).inc()
    log.warning("a callback was refused", provider=provider.name, result=result, why=why)
    status = _ANSWERS[result]
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else {}
    return HttpResponse(status=status, headers=headers)
