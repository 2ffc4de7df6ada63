"""Request bodies: a msgspec struct says what is allowed, and errors say what was wrong."""

import re
import types
from datetime import datetime
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec
from rest_framework.request import Request

from carillon.web.errors import InvalidJSON, MissingFields, PayloadTooLarge, ValidationFailed
from carillon.web.strict_json import InvalidJSONText, loads
from carillon.web.times import EXPECTED, UnusableTime, in_utc

BODY_LIMIT = 1_000_000

Body = TypeVar("Body", bound=msgspec.Struct)

_WORDS = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "an array",
    "datetime": "a date and time",
}


def parse_body(request: Request, shape: type[Body], *, limit: int = BODY_LIMIT) -> Body:
    """The request's JSON body as `shape`.

    Raises PayloadTooLarge (over `limit` bytes), InvalidJSON, MissingFields (all of them at
    once) or ValidationFailed (one message for each wrong or unknown field).
    """
    return convert_body(read_object(request, limit=limit), shape)


def read_object(request: Request, *, limit: int = BODY_LIMIT) -> dict[str, Any]:
    """The request's body as a JSON object, before its fields are looked at."""
    body_length(request, limit=limit)
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise InvalidJSON("Send a JSON object with Content-Type: application/json.")
    raw = request._request.body
    if len(raw) > limit:
        raise PayloadTooLarge(f"The body may have {limit} bytes at most.")
    try:
        value = loads(raw)
    except InvalidJSONText as error:
        raise InvalidJSON(f"The body is not acceptable JSON: {error}.") from None
    if not isinstance(value, dict):
        raise InvalidJSON("The body must be a JSON object.")
    return value


def body_length(request: Request, *, limit: int = BODY_LIMIT) -> int:
    """How many bytes the client announces; 0 where there is no body.

    Raises PayloadTooLarge for more than `limit`, and InvalidJSON for a body in chunks: nothing
    bounds it, and to take it for none would ignore what the client asked for.
    """
    headers = request._request.META
    if headers.get("HTTP_TRANSFER_ENCODING"):
        raise InvalidJSON("Send the body in one piece, with a Content-Length.")
    length = headers.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > limit:
        raise PayloadTooLarge(f"The body may have {limit} bytes at most.")
    return int(length)


def expect_no_body(request: Request) -> None:
    """For calls that take none: nothing at all and `{}` pass.

    Raises ValidationFailed for a field, which the client may believe to matter; else as parse_body.
    """
    if body_length(request) == 0:
        return
    unknown = read_object(request)
    if unknown:
        raise ValidationFailed(details={name: ["This call takes no fields."] for name in unknown})


def convert_body(value: dict[str, Any], shape: type[Body]) -> Body:
    """A parsed object as `shape`, its times in UTC. Raises MissingFields or ValidationFailed."""
    try:
        body = msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise _explain(value, shape, str(error)) from None
    return _with_usable_times(body)


def _with_usable_times(body: Body) -> Body:
    times: dict[str, datetime] = {}
    wrong: dict[str, list[str]] = {}
    for name in body.__struct_fields__:
        value = getattr(body, name)
        if isinstance(value, datetime):
            try:
                times[name] = in_utc(value)
            except UnusableTime:
                wrong[name] = [EXPECTED]
    if wrong:
        raise ValidationFailed(details=wrong)
    return msgspec.structs.replace(body, **times) if times else body


def _explain(
    value: dict[str, Any], shape: type[msgspec.Struct], first: str
) -> MissingFields | ValidationFailed:
    """Look at each field on its own, so that the client learns of all mistakes at once."""
    fields = msgspec.structs.fields(shape)
    missing = [f.encode_name for f in fields if f.required and f.encode_name not in value]
    if missing:
        return MissingFields(
            f"Missing: {', '.join(missing)}.",
            details={name: ["This field is required."] for name in missing},
        )
    wrong: dict[str, list[str]] = {}
    known = {f.encode_name: f.type for f in fields}
    for name, item in value.items():
        if name not in known:
            wrong[name] = [f"Unknown field. Allowed: {', '.join(sorted(known))}."]
            continue
        problem = _problem(item, known[name])
        if problem:
            wrong[name] = [problem]
    if not wrong:
        # A rule over several fields.
        wrong["body"] = [_sentence(first)]
    return ValidationFailed(details=wrong)


def _problem(item: object, expected: Any) -> str:
    try:
        msgspec.convert(item, expected)
    except msgspec.ValidationError as error:
        options = [option for option in _options(expected) if option is not type(None)]
        if expected is not None and item is None and type(None) not in _options(expected):
            return "This field may not be null."
        return _sentence(str(error)) if options else "Invalid value."
    return ""


def _options(expected: Any) -> tuple[Any, ...]:
    if get_origin(expected) in {Union, types.UnionType}:
        return get_args(expected)
    return (expected,)


def _sentence(error: str) -> str:
    """msgspec's "Expected `int`, got `str` - at `$.limit`" in a client's words."""
    text, _, path = error.partition(" - at `$")
    where = path.rstrip("`").lstrip(".")
    text = re.sub(r"`([^`]*)`", lambda quoted: _in_words(quoted.group(1)), text)
    return f"{text} (at {where})." if where else f"{text}."


def _in_words(types_: str) -> str:
    return " or ".join(_WORDS.get(name, name) for name in types_.split(" | "))
