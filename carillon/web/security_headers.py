"""The headers of Django's SecurityMiddleware and XFrameOptionsMiddleware, asked for once.

The two ask the settings and convert the same four headers for each answer. Here they are asked at
the start, and passed by from then on. They stay in MIDDLEWARE: `manage.py check --deploy` looks
for them there, and what they would do to a request is what happens.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

GetResponse = Callable[[HttpRequest], HttpResponse]
# As an answer keeps them: name and value, by the name in small letters.
Headers = dict[str, tuple[str, str]]

FRAME = "x-frame-options"


class SecurityHeadersMiddleware:
    """Stands right before the two; adds what they would to what comes after them."""

    def __init__(self, get_response: GetResponse) -> None:
        self._after, passed = _passing_by(get_response)
        self._headers = _set_by(passed, _Request(secure=False))
        self._over_tls = _set_by(passed, _Request(secure=True))
        self._is_one = self._headers == self._over_tls

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Adds each header that the answer has not got already."""
        response = self._after(request)
        headers = self._headers if self._is_one or not request.is_secure() else self._over_tls
        # Through the public methods each is looked up, compared and encoded anew.
        own = response.headers._store
        for key, header in headers.items():
            if key not in own and not (key == FRAME and _may_be_framed(response)):
                own[key] = header
        return response


class _Request(HttpRequest):
    """An empty one, that came over TLS or not."""

    def __init__(self, *, secure: bool) -> None:
        super().__init__()
        self._secure = secure

    def is_secure(self) -> bool:
        return self._secure


def _passing_by(get_response: GetResponse) -> tuple[GetResponse, list[Any]]:
    """What comes after Django's two, and those of them that are passed by.

    One that redirects to TLS is not, nor anything that is put between or in place of them.
    """
    passed: list[Any] = []
    after: Any = get_response
    while _sets_headers_alone(getattr(after, "__wrapped__", None)):
        passed.append(after.__wrapped__)
        after = after.__wrapped__.get_response
    return after, passed


def _sets_headers_alone(middleware: Any) -> bool:
    if type(middleware) is SecurityMiddleware:
        return not middleware.redirect
    return type(middleware) is XFrameOptionsMiddleware


def _set_by(middleware: list[Any], request: HttpRequest) -> Headers:
    """The headers that an empty answer gets from `middleware`, beside its own."""
    response = HttpResponse()
    own = set(response.headers._store)
    for each in middleware:
        each.process_response(request, response)
    return {key: item for key, item in response.headers._store.items() if key not in own}


def _may_be_framed(response: HttpResponse) -> bool:
    """As Django's decorator `xframe_options_exempt` says."""
    return bool(getattr(response, "xframe_options_exempt", False))
