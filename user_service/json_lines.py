"""JSON Lines: one object a line, each judged on its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from rest_framework.request import Request

from carillon.web.bodies import convert_body
from carillon.web.errors import ApiError, InvalidJSON, PayloadTooLarge
from carillon.web.strict_json import InvalidJSONText, loads

LINE_BYTES = 32_768
LINES_MOST = 10_000
BODY_BYTES = 20_000_000
# What a whole import may take: below the gateway's patience with it, above any other request's.
IMPORT_SECONDS = 55.0
MEDIA_TYPES = ("application/x-ndjson", "application/jsonl", "application/x-jsonlines")

ReadLine = Callable[[int], bytes]
Body = TypeVar("Body", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Line:
    """One line, by its number from 1: an object, or why it is none."""

    number: int
    value: dict[str, Any] | None = None
    problem: ApiError | None = None

    def read_as(self, shape: type[Body]) -> Body:
        """Raises the line's problem, MissingFields or ValidationFailed."""
        if self.problem is not None:
            raise self.problem
        return convert_body(self.value or {}, shape)


class LineResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a line; `id` of what was created or changed, else an error's code and text."""

    line: int
    outcome: str
    id: str | None = None
    error: str | None = None
    message: str | None = None
    details: dict[str, Any] = {}

    @classmethod
    def refused(cls, line: Line, error: ApiError) -> "LineResult":
        """The line changed nothing."""
        return cls(
            line=line.number,
            outcome="refused",
            error=error.code,
            message=error.message,
            details=dict(error.details or {}),
        )


class ImportShape(msgspec.Struct, frozen=True, kw_only=True):
    """How many lines were what, and each of them in order."""

    created: int
    updated: int
    refused: int
    results: list[LineResult]


def summarize(results: list[LineResult]) -> ImportShape:
    """With the counts."""
    outcomes = [result.outcome for result in results]
    return ImportShape(
        created=outcomes.count("created"),
        updated=outcomes.count("updated"),
        refused=outcomes.count("refused"),
        results=results,
    )


def requested_lines(request: Request) -> list[Line]:
    """The lines of a request's body.

    Raises PayloadTooLarge (over 20 MB or 10,000 lines) or InvalidJSON (another media type, or no
    line at all). A line that is too long or no JSON object is the line's own problem.
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > BODY_BYTES:
        raise PayloadTooLarge(f"The body may have {BODY_BYTES} bytes at most.")
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        raise InvalidJSON(f"Send one JSON object a line, with Content-Type: {MEDIA_TYPES[0]}.")
    lines: list[Line] = []
    for line in read_lines(request._request.readline):
        if len(lines) == LINES_MOST:
            raise PayloadTooLarge(f"{LINES_MOST} lines at most.")
        lines.append(line)
    if not lines:
        raise InvalidJSON("The body has no lines.")
    return lines


def read_lines(readline: ReadLine) -> Iterator[Line]:
    """Each line that is not blank; no more than one is held at once."""
    number = 0
    while raw := readline(LINE_BYTES + 2):
        number += 1
        if len(raw.rstrip(b"\r\n")) > LINE_BYTES:
            _skip_rest(raw, readline)
            problem = PayloadTooLarge(f"A line may have {LINE_BYTES} bytes at most.")
            yield Line(number, problem=problem)
        elif raw.strip():
            yield _parse(number, raw)


def _skip_rest(raw: bytes, readline: ReadLine) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = readline(LINE_BYTES)


def _parse(number: int, raw: bytes) -> Line:
    try:
        value = loads(raw)
    except InvalidJSONText as error:
        return Line(number, problem=InvalidJSON(f"Not acceptable JSON: {error}."))
    if not isinstance(value, dict):
        return Line(number, problem=InvalidJSON("A line must be a JSON object."))
    return Line(number, value)
