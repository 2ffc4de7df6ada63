"""What OpenAPI tells of a forwarded call: the service's words, and what the gateway adds to them.

`contracts/` is written by `python -m deploy.forwarded_calls`.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from carillon.web.errors import ApiError, PayloadTooLarge
from gateway.documentation import caller_refusals, refusals
from gateway.forwarding.client import unavailable
from gateway.forwarding.resources import Resource

_FOLDER = Path(__file__).parent / "contracts"


class Refusal(msgspec.Struct, frozen=True):
    """An error that the service answers."""

    status: int
    code: str
    message: str
    details: dict[str, Any]

    def as_error(self) -> ApiError:
        """For the documentation."""
        error = ApiError(self.message, details=self.details)
        error.status, error.code = self.status, self.code
        return error


class Contract(msgspec.Struct, frozen=True, rename="camel"):
    """A call in the service's words; what is a dict here is OpenAPI."""

    operation_id: str
    summary: str
    tags: list[str]
    answers: dict[int, dict[str, Any]]
    errors: list[Refusal]
    description: str = ""
    parameters: list[dict[str, Any]] = []
    request_body: dict[str, Any] = {}


@cache
def contracts(service: str) -> Mapping[str, Contract]:
    """By `METHOD /path/`, in OpenAPI's notation."""
    text = (_FOLDER / f"{service}.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, Contract])


def named(resource: Resource, method: str) -> str:
    """The key of a call in `contracts`."""
    return f"{method} /{resource.path.replace('<str:', '{').replace('>', '}')}"


def documented(resource: Resource, method: str) -> Any:
    """The decorator for the view's method."""
    contract = contracts(resource.service)[named(resource, method)]
    content = contract.request_body.get("content", {})
    answers: dict[Any, Any] = {
        status: _answer(answer) for status, answer in contract.answers.items()
    }
    return extend_schema(
        operation_id=contract.operation_id,
        summary=contract.summary,
        description=contract.description,
        tags=contract.tags,
        parameters=[_parameter(parameter) for parameter in contract.parameters],
        request={media: told["schema"] for media, told in content.items()} or None,
        examples=[
            example
            for media, told in content.items()
            for example in _examples(told, request_only=True, media_type=media)
        ],
        responses={**answers, **refusals(*_all_refusals(resource, contract))},
    )


def _all_refusals(resource: Resource, contract: Contract) -> Iterator[ApiError]:
    yield from caller_refusals(resource.scope.value)
    if contract.request_body:
        # Of errors with one code the first is the example: this one tells the size.
        yield PayloadTooLarge(f"The body may have {resource.body_limit} bytes at most.")
    yield from (refusal.as_error() for refusal in contract.errors)
    yield unavailable(resource.service)()


def _answer(told: Mapping[str, Any]) -> OpenApiResponse:
    content = told["content"]["application/json"]
    return OpenApiResponse(content["schema"], told["description"], examples=[*_examples(content)])


def _examples(told: Mapping[str, Any], **more: Any) -> Iterator[OpenApiExample]:
    for name, example in told.get("examples", {}).items():
        yield OpenApiExample(example.get("summary", name), value=example["value"], **more)


def _parameter(told: Mapping[str, Any]) -> OpenApiParameter:
    return OpenApiParameter(
        told["name"],
        told["schema"],
        told["in"],
        required=told.get("required", False),
        description=told.get("description", ""),
        examples=[*_examples(told)],
    )
