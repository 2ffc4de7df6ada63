"""`/internal/links/<token>/`: the page behind an unsubscribe link, for the gateway to pass on."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from carillon.unsubscribe_links import AddressLink, Link, LinkSigner
from carillon.web.internal_auth import InternalServiceAuthentication
from carillon.web.pages.languages import choose_language
from carillon.web.pages.messages import Message, message_page
from user_service.unsubscribe.forms import UnreadableForm, read_form
from user_service.unsubscribe.pages import address_page, gone_page, user_page
from user_service.unsubscribe.selectors import find_address_standing, find_user_standing
from user_service.unsubscribe.services import Done, act
from user_service.users.selectors import UserNotFound


@extend_schema(exclude=True)
class LinkPageApi(APIView):
    """The token says for which organization and for whom: the secret alone is asked for.

    Pages, and so in no schema; docs/users-and-preferences.md tells of them.
    """

    authentication_classes: Any = (InternalServiceAuthentication,)

    def get(self, request: Request, token: str) -> HttpResponse:
        """The page. Changes nothing, however often it is opened: programs follow links too."""
        link = _signer().read(token)
        if link is None:
            return message_page(Message.UNKNOWN_LINK, _language(request))
        return _page_of(request, link, None)

    def post(self, request: Request, token: str) -> HttpResponse:
        """The page after the change; the next notification already heeds it.

        Without an `action` it unsubscribes at once (RFC 8058, one-click).
        """
        link = _signer().read(token)
        if link is None:
            return message_page(Message.UNKNOWN_LINK, _language(request))
        django_request: HttpRequest = request._request
        try:
            done = act(link, read_form(django_request))
        except UnreadableForm:
            return message_page(Message.UNREADABLE, _language(request))
        except UserNotFound:
            done = None
        return _page_of(request, link, done)


def _page_of(request: Request, link: Link, done: Done | None) -> HttpResponse:
    if isinstance(link, AddressLink):
        address = find_address_standing(link)
        if address is not None:
            return address_page(link, address, done, _language(request))
    else:
        user = find_user_standing(link)
        if user is not None:
            return user_page(link, user, done, _language(request, user.user.language))
    return gone_page(_language(request))


def _language(request: Request, *known: str) -> str:
    """The user's own, else the browser's."""
    return choose_language(known, request.headers.get("Accept-Language", ""))


@cache
def _signer() -> LinkSigner:
    return LinkSigner(settings.LINK_SECRETS)
