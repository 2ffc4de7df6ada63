"""What schemathesis is told beyond the OpenAPI: real ids, JSON Lines, and two of our rules.

Loaded in its process; KNOWN_OBJECTS is JSON as `objects.make_objects` makes it.
"""

import json
import os
import re
import threading
import zlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import schemathesis
from schemathesis import Case, CheckContext, GenerationMode, HookContext, Response
from schemathesis.core.failures import Failure

from tests.end_to_end.api.patience import patient

KNOWN: dict[str, str] = json.loads(os.environ.get("KNOWN_OBJECTS", "{}"))
# A request line or a header above gunicorn's limits, of which no operation is told.
TOO_LONG = frozenset({414, 431})
_PARAMETER = re.compile(r"([^/]+)/\{([a-z_]+)\}")


_patient = threading.local()


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """A 503 says when to ask again."""
    session = kwargs.get("session")
    if session is not None and getattr(_patient, "session", None) is not session:
        _patient.session = patient(session)


@schemathesis.hook
def map_case(context: HookContext, case: Case[Any]) -> Case[Any]:
    """Three of four calls are about something that exists; a password costs a second of hashing."""
    if case.method != "DELETE" and case.path_parameters and _is_positive(case, "path_parameters"):
        for word, name in _PARAMETER.findall(case.operation.path):
            value = str(case.path_parameters.get(name, ""))
            known = KNOWN.get(f"{word}/{name}")
            if known and zlib.crc32(value.encode(errors="replace")) % 4:
                case.path_parameters[name] = known
    if isinstance(case.body, dict) and _is_positive(case, "body"):
        case.body.pop("password", None)
    return case


@schemathesis.hook
def filter_failure(
    context: HookContext, failure: Failure, case: Case[Any], response: Response
) -> bool:
    """What is none: what gunicorn refuses to read, and empty query parameters, which forms send."""
    if response.status_code in TOO_LONG:
        return False
    query = parse_qsl(urlsplit(str(response.request.url)).query, keep_blank_values=True)
    is_empty = any(value == "" for _, value in query)
    return not (is_empty and type(failure).__name__ == "AcceptedNegativeData")


@schemathesis.check
def error_code_conformance(context: CheckContext, response: Response, case: Case[Any]) -> None:
    """An error's code is one of those that are told of its status, each with an example."""
    answers = case.operation.definition.raw.get("responses", {})
    told = answers.get(str(response.status_code), {})
    if response.status_code < 400 or not told:
        return
    examples = told["content"]["application/json"]["examples"].values()
    codes = {example["value"]["error"] for example in examples}
    if response.status_code == 404:
        # A part of the path that no object of any kind could have for a name.
        codes.add("not_found")
    code = response.json()["error"]
    assert code in codes, f"{response.status_code} {code} is not told of; told are {sorted(codes)}"


@schemathesis.serializer("application/x-ndjson")
def json_lines(context: Any, value: Any) -> Any:
    """Text and bytes as they are; any other value as one line."""
    if isinstance(value, bytes):
        return value
    return value.encode(errors="replace") if isinstance(value, str) else json.dumps(value).encode()


def _is_positive(case: Case[Any], location: str) -> bool:
    if case.meta is None:
        return True
    modes = {str(where.value): info.mode for where, info in case.meta.components.items()}
    return modes.get(location, GenerationMode.POSITIVE) is GenerationMode.POSITIVE
