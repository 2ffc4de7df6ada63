"""The headers are those that Django's own two middlewares would set."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from django.core.handlers.exception import convert_exception_to_response as wrapped
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.test import RequestFactory
from django.views.decorators.clickjacking import xframe_options_exempt, xframe_options_sameorigin

from carillon.web.security_headers import SecurityHeadersMiddleware

View = Callable[[HttpRequest], HttpResponse]


def plain(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("{}", content_type="application/json")


def opinionated(_request: HttpRequest) -> HttpResponse:
    headers = {"referrer-policy": "no-referrer", "Strict-Transport-Security": "max-age=1"}
    return HttpResponse(headers=headers)


def failing(_request: HttpRequest) -> HttpResponse:
    raise PermissionError


VIEWS = (
    plain,
    opinionated,
    xframe_options_exempt(plain),
    xframe_options_sameorigin(plain),
)


class Silent(SecurityMiddleware):
    """One that goes by the path."""

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        return response if request.path == "/" else super().process_response(request, response)


def django_alone(view: View, security: type[SecurityMiddleware] = SecurityMiddleware) -> View:
    # As Django's handler puts them together, whose function has no narrower type.
    chain: Any = wrapped(view)
    chain = wrapped(XFrameOptionsMiddleware(chain))
    return cast("View", wrapped(security(chain)))


def headers_of(view: View, *, secure: bool, path: str = "/") -> dict[str, str]:
    request = RequestFactory().get(path, secure=secure)
    response = view(request)
    return {name.lower(): value for name, value in response.headers.items()}


@pytest.fixture(params=[0, 3600], ids=["without HSTS", "with HSTS"], autouse=True)
def hsts(request: pytest.FixtureRequest, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = request.param


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("view", VIEWS)
def test_they_are_the_same(view: View, secure: bool) -> None:
    before = django_alone(view)
    after = SecurityHeadersMiddleware(before)
    assert headers_of(after, secure=secure) == headers_of(before, secure=secure)


def test_the_two_are_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = SecurityHeadersMiddleware(django_alone(plain))
    for each in (SecurityMiddleware, XFrameOptionsMiddleware):
        monkeypatch.setattr(each, "__call__", failing)
    assert headers_of(asked, secure=False)["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ["/", "/other"])
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_one_of_somebody_elses_is_not_passed_by(path: str, secure: bool) -> None:
    before = django_alone(plain, Silent)
    after = SecurityHeadersMiddleware(before)
    assert headers_of(after, secure=secure, path=path) == headers_of(
        before, secure=secure, path=path
    )


def test_a_redirect_to_tls_happens(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    after = SecurityHeadersMiddleware(django_alone(plain))
    assert headers_of(after, secure=False)["location"].startswith("https://")
    assert headers_of(after, secure=True) == headers_of(django_alone(plain), secure=True)
