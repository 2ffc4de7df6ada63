"""One view per resource of the table."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from carillon.contracts.actors import HEADER as ACTOR_HEADER
from carillon.contracts.actors import Actor, write_actor
from gateway.admission.views import ClientApi
from gateway.forwarding import client
from gateway.forwarding.bodies import carried
from gateway.forwarding.descriptions import documented
from gateway.forwarding.resources import Resource

View = Callable[..., HttpResponse]


class ForwardedApi(ClientApi):
    """A resource of an internal service; the gateway adds who calls and takes nothing away."""

    resource: Resource

    def forward(self, method: str, request: Request, parameters: dict[str, str]) -> HttpResponse:
        """The service's status, body and safe headers."""
        resource = self.resource
        path = client.fill(resource.path, parameters)
        query = client.safe_query(request.META.get("QUERY_STRING", ""))
        caller = self.caller
        actor = write_actor(Actor(caller.key_id, caller.name))
        with carried(request, resource.body_limit) as body:
            answer = client.forward(
                resource.service,
                client.Forwarded(
                    method=method,
                    path=path,
                    organization_id=caller.organization_id,
                    query=query,
                    body=body,
                    headers={**client.safe_headers(request.headers), ACTOR_HEADER: actor},
                    read_seconds=resource.read_seconds,
                ),
            )
        response = HttpResponse(answer.body, status=answer.status)
        for name in client.RESPONSE_HEADERS:
            if name in answer.headers:
                response.headers[name] = answer.headers[name]
        return response


def view_of(resource: Resource) -> View:
    """A view with one documented method for each of the resource's."""
    handlers: dict[str, Any] = {
        method.lower(): _handler(resource, method) for method in resource.methods
    }
    scopes = dict.fromkeys(resource.methods, (resource.scope,))
    api = type(
        "ForwardedResource", (ForwardedApi,), handlers | {"resource": resource, "scopes": scopes}
    )
    return api.as_view()  # type: ignore[no-any-return, attr-defined]


def _handler(resource: Resource, method: str) -> Any:
    def handler(self: ForwardedApi, request: Request, **parameters: str) -> HttpResponse:
        return self.forward(method, request, parameters)

    return documented(resource, method)(handler)
