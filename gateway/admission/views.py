"""The base of every call that needs an API key."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gateway.admission.authentication import APIKeyAuthentication
from gateway.admission.entry import Entry, SplitKey
from gateway.admission.errors import InsufficientScope, RateLimitExceeded
from gateway.admission.foresight import Foreseen
from gateway.admission.limits import LimitState, limit_headers
from gateway.organizations.key_records import KeyRecord
from gateway.organizations.models import Scope
from gateway.organizations.usage import note_key_use


class ClientApi(APIView):
    """Key, scope and organization limit are checked, in this order, before the call's own code."""

    authentication_classes: Any = (APIKeyAuthentication,)
    # By HTTP method: any of these will do. A method that is not listed needs none.
    scopes: ClassVar[Mapping[str, Sequence[Scope]]] = {}

    entry: Entry
    limits: tuple[LimitState, ...] = ()

    def cache_keys(self, request: Request) -> Sequence[SplitKey]:
        """What to read from the cache in the trip that recognises the key."""
        return ()

    def foreseen(self, request: Request) -> Foreseen | None:
        """What to reserve in that trip, after `cache_keys`; the call settles the entry's `held`.

        None where the call could be refused between the trip and its own code: the organization is
        inactive or not the one that the request names, or the key has no scope for it.
        """
        return None

    @property
    def caller(self) -> KeyRecord:
        """Who calls."""
        return self.entry.record

    def perform_authentication(self, request: Request) -> None:
        """Raises what APIKeyAuthentication raises."""
        super().perform_authentication(request)
        self.entry = cast("Entry", request.auth)
        self.limits = (self.entry.limit,)

    def check_permissions(self, request: Request) -> None:
        """Raises InsufficientScope."""
        needed = self.scopes.get(request.method or "", ())
        for scope in needed:
            if self.caller.allows(scope.value):
                return
        if needed:
            raise InsufficientScope(*(scope.value for scope in needed))

    def check_throttles(self, request: Request) -> None:
        """Raises RateLimitExceeded; the request was counted when its key was read."""
        (limit,) = self.limits
        if not limit.allowed:
            raise RateLimitExceeded(
                f"Your plan allows {limit.most} requests in {limit.window} seconds.", limit.wait
            )
        note_key_use(self.caller.key_id)

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        """Adds the RateLimit headers to whatever was answered."""
        answered = super().finalize_response(request, response, *args, **kwargs)
        for name, value in limit_headers(self.limits).items():
            answered.headers[name] = value
        return answered
