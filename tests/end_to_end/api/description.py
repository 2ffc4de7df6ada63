"""The gateway's OpenAPI as the tests of every route read it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import requests

from tests.end_to_end.api.patience import patient
from tests.end_to_end.stack import Stack

METHODS = ("get", "post", "put", "patch", "delete")

# The walks make thousands of calls: one connection for all of them.
SESSION = patient(requests.Session())
SESSION.trust_env = False

_PARAMETER = re.compile(r"([^/]+)/\{([a-z_]+)\}")
_SCOPES = re.compile(r"a key with the scope ([a-z ]+)\.")


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    told: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def kinds(self) -> tuple[str, ...]:
        """What its path is of, such as `users/identifier`: the word before, and the parameter."""
        return tuple("/".join(found) for found in _PARAMETER.findall(self.path))

    @property
    def needs_key(self) -> bool:
        return bool(self.told.get("security"))

    @property
    def scopes(self) -> tuple[frozenset[str], ...]:
        """Any of these sets of scopes will do; empty where the description names none."""
        found = _SCOPES.search(str(self.told["responses"].get("403", "")))
        options = found.group(1).split(" or ") if found else []
        return tuple(frozenset(option.split(" and ")) for option in options)

    def filled(self, values: Mapping[str, str]) -> str:
        """The path with a value for each kind, and the query that it cannot be without."""
        path = _PARAMETER.sub(
            lambda found: f"{found[1]}/{values['/'.join(found.groups())]}", self.path
        )
        query = {
            parameter["name"]: parameter["schema"].get("minimum", "some")
            for parameter in self.told.get("parameters", [])
            if parameter["in"] == "query" and parameter.get("required")
        }
        return f"{path}?{urlencode(query)}" if query else path

    def body(self) -> tuple[bytes | object, str]:
        """The first example of a body and its media type; None and JSON where it takes none."""
        for media, content in self.told.get("requestBody", {}).get("content", {}).items():
            value = next(iter(content["examples"].values()))["value"]
            return (value.encode() if isinstance(value, str) else value), media
        return None, "application/json"


def operations(stack: Stack) -> list[Operation]:
    """Every operation there is."""
    return list(_operations(stack))


def _operations(stack: Stack) -> Iterator[Operation]:
    schema = requests.get(stack.url("gateway", "/api/schema/"), timeout=60).json()
    for path, item in schema["paths"].items():
        for method in METHODS:
            if method in item:
                yield Operation(method.upper(), path, item[method])
