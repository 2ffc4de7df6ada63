"""What every internal call for an organization demands."""

from typing import Any

from rest_framework.request import Request
from rest_framework.views import APIView

from carillon.web.internal_auth import InternalAuthentication, InternalCaller


class OrganizationApi(APIView):
    """A call with the internal secret, for one organization."""

    authentication_classes: Any = (InternalAuthentication,)


def organization_of(request: Request) -> str:
    """The id from X-Organization-ID; nothing of any other organization is ever looked at."""
    caller: object = request.user
    if not isinstance(caller, InternalCaller):
        raise TypeError(f"{type(caller).__name__} is no internal caller")
    return caller.organization_id
