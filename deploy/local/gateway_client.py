"""The gateway's public API, as a client app would call it."""

from dataclasses import dataclass
from typing import Any

import requests

from deploy.local.errors import StackError

TIMEOUT = 60.0  # seconds for one call


class Refused(StackError):
    """The gateway answered with an error."""

    def __init__(self, call: str, answer: "Answer") -> None:
        error = answer.body.get("error", "no error code")
        message = answer.body.get("message", "")
        details = answer.body.get("details") or ""
        super().__init__(f"{call} answered {answer.status} {error}: {message} {details}".rstrip())
        self.status = answer.status


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and the envelope."""

    status: int
    body: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        """What the envelope holds; empty for an error."""
        data = self.body.get("data")
        return data if isinstance(data, dict) else {}


class GatewayClient:
    """Calls with one API key over one kept connection."""

    def __init__(self, url: str, api_key: str) -> None:
        self.url = url
        self._session = requests.Session()
        # A proxy in the environment must not be asked about loopback.
        self._session.trust_env = False
        self._session.headers["X-API-Key"] = api_key

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, allow: tuple[int, ...]
    ) -> Answer:
        """Call; raises Refused for a status not in `allow`, StackError where nobody answers."""
        name = f"{method} {path}"
        try:
            response = self._session.request(method, self.url + path, json=body, timeout=TIMEOUT)
            parsed = response.json()
        except requests.JSONDecodeError as error:
            raise StackError(f"{name} answered {response.status_code} without JSON") from error
        except requests.RequestException as error:
            raise StackError(
                f"{name}: the gateway at {self.url} does not answer: {error}"
            ) from error
        answer = Answer(response.status_code, parsed if isinstance(parsed, dict) else {})
        if answer.status not in allow:
            raise Refused(name, answer)
        return answer
