"""`/u/<token>/`: the public page, passed on from the user service, which owns what it is about.

No key, no login, no cookie: the token is the whole permission (RFC 8058). It is read here first, so
that what nobody signed costs the user service nothing.
"""

import math
import re
from functools import cache

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from carillon.clients.http import Answer, InternalHTTP, ServiceDown
from carillon.web.pages.languages import choose_language
from carillon.web.pages.messages import Message, message_page
from carillon.web.pages.response import guarded
from gateway.admission.client_addresses import count_against, count_call
from gateway.admission.limits import LimitState
from gateway.connections import link_signer

log = structlog.get_logger(__name__)

BODY_LIMIT = 65_536
# By token and not by address: a mailbox provider presses for all of its users.
PRESSES_MOST = 20
# By address: nobody needs many links that are wrong.
MISSES_MOST = 30
WINDOW_SECONDS = 60
UNAVAILABLE_SECONDS = 30

_HEADER_VALUE = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,499}")
_HEADERS = ("Content-Type", "Accept-Language")


# There is no cookie that another site could make a browser send along.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def link_page(request: HttpRequest, token: str) -> HttpResponse:
    """The page; by POST, after what was pressed. GET changes nothing."""
    if link_signer().read(token) is None:
        limit = count_call("link-misses", request, most=MISSES_MOST, seconds=WINDOW_SECONDS)
        return _said(request, Message.UNKNOWN_LINK) if limit.allowed else _too_many(request, limit)
    limit = count_against("link-presses", token, most=PRESSES_MOST, seconds=WINDOW_SECONDS)
    if not limit.allowed:
        return _too_many(request, limit)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > BODY_LIMIT:
        return _said(request, Message.UNREADABLE)
    try:
        answer = _forward(request, token)
    except ServiceDown:
        answer = None
    if answer is None or answer.status == 401:
        # Our own secret was refused: nothing that the reader can mend.
        log.error("the unsubscribe page is unavailable")
        response = _said(request, Message.UNAVAILABLE)
        response.headers["Retry-After"] = str(UNAVAILABLE_SECONDS)
        return response
    return guarded(
        answer.body, status=answer.status, language=answer.headers.get("Content-Language", "")
    )


def _forward(request: HttpRequest, token: str) -> Answer:
    """Raises ServiceDown."""
    given = {name: request.headers.get(name, "") for name in _HEADERS}
    return _user_service().call(
        "POST" if request.method == "POST" else "GET",
        f"/internal/links/{token}/",
        body=request.body if request.method == "POST" else None,
        headers={name: value for name, value in given.items() if _HEADER_VALUE.fullmatch(value)},
    )


def _too_many(request: HttpRequest, limit: LimitState) -> HttpResponse:
    response = _said(request, Message.TOO_MANY)
    response.headers["Retry-After"] = str(max(1, math.ceil(limit.wait)))
    return response


def _said(request: HttpRequest, message: Message) -> HttpResponse:
    """In the browser's language: of the reader's own only the user service knows."""
    language = choose_language([], request.headers.get("Accept-Language", ""))
    return message_page(message, language)


@cache
def _user_service() -> InternalHTTP:
    """Apart from the hot path's client: what the public provokes must not open its breaker."""
    return InternalHTTP(
        "user_service", settings.GATEWAY.user_service_url, settings.CARILLON.internal_secrets[0]
    )
