"""`/t/<token>.gif` and `/l/<token>/`: what an email's picture and links lead to.

No key, no cookie, and nothing kept of who called: an open or a click is a time, beside the status.
Not in the API's description: no client calls them.
"""

import secrets
from base64 import b64decode
from datetime import UTC, datetime

import structlog
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from gateway.admission.client_addresses import count_against
from gateway.callbacks.events import Kind, ProviderEvent
from gateway.callbacks.metrics import RECEIVED
from gateway.callbacks.services.inbox import keep_events
from gateway.tracking.rewriting import tracking_signer
from gateway.tracking.tokens import TrackedLink

log = structlog.get_logger(__name__)

# As a provider's name, in metrics and reports.
OURSELVES = "carillon"
# Of one link; beyond, it is served without being counted.
COUNTED_MOST = 30
WINDOW_SECONDS = 60

# One transparent pixel.
PICTURE = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
}


@require_safe
def open_picture(request: HttpRequest, token: str) -> HttpResponse:
    """The picture; somebody opened the email that it is in."""
    link = tracking_signer().read(token)
    if link is None or link.target:
        return HttpResponse(status=404)
    _note(request, token, link, Kind.OPENED)
    return HttpResponse(PICTURE, content_type="image/gif", headers=_HEADERS)


@require_safe
def click_redirect(request: HttpRequest, token: str) -> HttpResponse:
    """To the target inside the token, and to no other."""
    link = tracking_signer().read(token)
    if link is None or not link.target:
        return HttpResponse(status=404)
    _note(request, token, link, Kind.CLICKED)
    return HttpResponseRedirect(link.target, headers=_HEADERS)


def _note(request: HttpRequest, token: str, link: TrackedLink, kind: Kind) -> None:
    """Nobody's way is barred because it could not be noted. A HEAD is a machine's."""
    if request.method != "GET":
        return
    limit = count_against("tracking", token, most=COUNTED_MOST, seconds=WINDOW_SECONDS)
    if not limit.allowed:
        return
    event = ProviderEvent(
        provider=OURSELVES, provider_message_id="", kind=kind, key=secrets.token_hex(16)
    )
    try:
        keep_events([event], at=datetime.now(UTC), notification=link.notification)
    except (DatabaseError, InterfaceError) as error:
        log.warning("an open or a click was not noted", error=repr(error))
        return
    RECEIVED.labels(OURSELVES, "kept").inc()
