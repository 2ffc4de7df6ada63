"""Authentication between our own services: a shared secret, and the organization it is for."""

import hmac
from dataclasses import dataclass

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from carillon.contracts import ids
from carillon.web.errors import ApiError, MissingOrganization

SECRET_HEADER = "X-Internal-Secret"  # noqa: S105
ORGANIZATION_HEADER = "X-Organization-ID"


class WrongSecret(ApiError):
    """The internal secret is missing or wrong; the answer does not say which."""

    status = 401
    code = "authentication_required"
    message = f"Send the internal secret in the {SECRET_HEADER} header."

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": SECRET_HEADER})


@dataclass(frozen=True, slots=True)
class InternalCaller:
    """Who calls: another of our services, for one organization."""

    organization_id: str
    is_authenticated: bool = True


class InternalAuthentication(BaseAuthentication):
    """Demands X-Internal-Secret and X-Organization-ID on every call.

    Two secrets may be valid while one is rotated. `request.user` is the InternalCaller.
    """

    needs_organization = True

    def authenticate(self, request: Request) -> tuple[InternalCaller, None]:
        """Raises WrongSecret or MissingOrganization."""
        check_secret(request.META.get("HTTP_X_INTERNAL_SECRET", ""))
        organization_id = request.META.get("HTTP_X_ORGANIZATION_ID", "")
        if self.needs_organization and ids.parse_id(ids.ORGANIZATION, organization_id) is None:
            raise MissingOrganization
        return InternalCaller(organization_id), None

    def authenticate_header(self, request: Request) -> str:
        """Makes REST framework answer 401 and not 403."""
        return SECRET_HEADER


class InternalServiceAuthentication(InternalAuthentication):
    """The same for calls that are about no one organization."""

    needs_organization = False


def check_secret(given: str) -> None:
    """Constant-time, over bytes: hmac.compare_digest refuses non-ASCII text. Raises WrongSecret."""
    candidate = given.encode("utf-8", "surrogateescape")
    secrets = settings.CARILLON.internal_secrets
    matches = [hmac.compare_digest(candidate, secret.encode()) for secret in secrets]
    if not any(matches):
        raise WrongSecret
