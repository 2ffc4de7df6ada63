"""HTTP for providers: one pooled session per credential, bounded calls, and what each loss means.

Nothing is retried and no redirect is followed. What was certainly not sent is a TemporaryFailure,
what may have been sent is OutcomeUnknown. No error repeats a URL, a header or a body: they hold
addresses and credentials, and an error is stored and shown.
"""

import ipaddress
import logging
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, NewConnectionError

from carillon.contracts.messages import Address, DeliveryJob
from carillon.contracts.provider import OutcomeUnknown
from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure
from carillon.observability import tracing
from carillon.settings import SettingsError

CONNECT_SECONDS = 3.0
DEFAULT_SECONDS = 10.0
# More than the threads of any worker: a call never waits for a connection.
POOL_SIZE = 64
# The answers of every API here are a few hundred bytes.
LONGEST_ANSWER = 64 * 1024

# At DEBUG it writes down the path of every call: the address of a browser, the id of an account.
logging.getLogger("urllib3").setLevel(logging.WARNING)

# What may be shown as a provider's code: it comes from outside.
_CODE = re.compile(r"\d{1,7}|[A-Za-z][A-Za-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider said. `retry_after` is in seconds from now, if it named a time."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    retry_after: float | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
        try:
            decoded = msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, RecursionError):
            return {}
        return decoded if isinstance(decoded, dict) else {}


class ProviderHTTP:
    """Calls of one provider with one credential, safe for many threads."""

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float = DEFAULT_SECONDS,
        hosts: int = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`hosts` are kept connections to: more than one where paths are whole URLs."""
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._clock = clock
        self._session = requests.Session()
        # The environment's proxies are for people, and its .netrc holds other credentials.
        self._session.trust_env = False
        self._session.headers.update(headers or {})
        self._session.auth = auth
        adapter = HTTPAdapter(pool_connections=hosts, pool_maxsize=POOL_SIZE, max_retries=0)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def post_json(
        self, path: str, body: object, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One call. `path` is already quoted. Raises TemporaryFailure or OutcomeUnknown."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        return self._post(path, _encoded(body), sent)

    def post_form(self, path: str, form: Mapping[str, str]) -> Answer:
        """One call. `path` is already quoted. Raises TemporaryFailure or OutcomeUnknown."""
        return self._post(path, dict(form), {})

    def post_bytes(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One call. `path` is already quoted. Raises TemporaryFailure or OutcomeUnknown."""
        return self._post(path, body, dict(headers))

    def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """One call. `path` is already quoted. Raises TemporaryFailure or OutcomeUnknown."""
        return self._call("GET", path, None, dict(headers or {}))

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def _post(self, path: str, data: bytes | dict[str, str], headers: dict[str, str]) -> Answer:
        return self._call("POST", path, data, headers)

    def _call(
        self,
        method: str,
        path: str,
        data: bytes | dict[str, str] | None,
        headers: dict[str, str],
    ) -> Answer:
        deadline = time.monotonic() + CONNECT_SECONDS + self._timeout
        traceparent = tracing.current()
        if traceparent:
            headers["traceparent"] = traceparent
        try:
            response = self._session.request(
                method,
                f"{self._base_url}{path}",
                data=data,
                headers=headers,
                timeout=(min(CONNECT_SECONDS, self._timeout), self._timeout),
                allow_redirects=False,
                stream=True,
            )
        except UnicodeEncodeError:
            raise PermanentFailure(
                "The content is not valid Unicode.", reason=Reason.INVALID_CONTENT
            ) from None
        except requests.RequestException as error:
            raise loss_of(error) from None
        with response:
            body = _read(response, deadline)
        wait = retry_after(response.headers, self._clock())
        return Answer(response.status_code, response.headers, body, wait)


def failure_of(
    answer: Answer,
    code: str = "",
    *,
    permanent: Mapping[str, Reason],
    temporary: Mapping[str, Reason],
) -> DeliveryFailure:
    """What a refusal means: by the provider's own code first, then by the HTTP status.

    A success status that could not be understood is OutcomeUnknown, and so is 504: a gateway
    handed the request on and lost the answer.
    """
    status = answer.status
    shown = code if _CODE.fullmatch(code) else str(status)
    if code in temporary:
        return _temporary(temporary[code], shown, answer)
    if code in permanent:
        return PermanentFailure(_REFUSED, reason=permanent[code], code=shown)
    if 200 <= status < 300:
        return OutcomeUnknown("The provider's answer cannot be understood.", code=shown)
    if status == 504:
        return OutcomeUnknown("The provider's gateway lost the answer.", code=shown)
    if status == 429:
        return _temporary(Reason.RATE_LIMITED, shown, answer)
    if status == 408 or status >= 500:
        return _temporary(Reason.PROVIDER_UNAVAILABLE, shown, answer)
    if status in _CONFIGURATION or status < 400:
        return PermanentFailure(
            "The provider refuses our credentials or settings.",
            reason=Reason.CONFIGURATION,
            code=shown,
        )
    reason = Reason.PAYLOAD_TOO_LARGE if status == 413 else Reason.OTHER
    return PermanentFailure(_REFUSED, reason=reason, code=shown)


_REFUSED = "The provider refuses the message."
# 404 and 405: there is no such account, project or path.
_CONFIGURATION = frozenset({401, 402, 403, 404, 405})


def _temporary(reason: Reason, code: str, answer: Answer) -> TemporaryFailure:
    said = (
        "The provider asks for a pause."
        if reason is Reason.RATE_LIMITED
        else "The provider cannot take the message now."
    )
    return TemporaryFailure(said, reason=reason, code=code, retry_after=answer.retry_after)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait: `Retry-After` (RFC 9110, 10.2.3), else `X-RateLimit-Reset` on no remainder.

    The latter is a Unix time (https://www.twilio.com/docs/sendgrid/api-reference/
    how-to-use-the-sendgrid-v3-api/rate-limits) and stands on successes too, so it counts only
    where nothing remains.
    """
    said = headers.get("Retry-After", "").strip()
    if _digits(said):
        return float(said)
    if said:
        try:
            when = parsedate_to_datetime(said)
        except ValueError:
            return None
        # "-0000" gives a time without a zone; HTTP dates are UTC.
        aware = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, aware.timestamp() - now)
    reset = headers.get("X-RateLimit-Reset", "").strip()
    if _digits(reset) and headers.get("X-RateLimit-Remaining", "0").strip() == "0":
        return max(0.0, float(reset) - now)
    return None


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12


def require_tls(name: str, url: str) -> str:
    """`url`, unless it would send credentials unencrypted off this machine: SettingsError."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise SettingsError(name, "has to be https, except on this machine", "https://…")
    if parts.username or parts.query or parts.fragment:
        raise SettingsError(name, "holds more than a host and a path", "https://api.example.com")
    return url


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def single_address(job: DeliveryJob) -> Address:
    """The one address of a channel whose users have one. Raises PermanentFailure."""
    if len(job.addresses) != 1:
        raise PermanentFailure("There is not one address.", reason=Reason.NO_ADDRESS)
    return job.addresses[0]


def _encoded(body: object) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        raise PermanentFailure(
            "The content is not valid Unicode.", reason=Reason.INVALID_CONTENT
        ) from None


def _read(response: requests.Response, deadline: float) -> bytes:
    """The body, within a bound of size and time.

    A refusal is one by its status, whatever becomes of its body; a success whose body is lost
    leaves open what was accepted. Raises OutcomeUnknown.
    """
    body = bytearray()
    try:
        while len(body) < LONGEST_ANSWER and time.monotonic() < deadline:
            # read1 returns what is there: a dripping server cannot hold the call.
            piece = response.raw.read1(LONGEST_ANSWER - len(body), decode_content=True)
            if not piece:
                return bytes(body)
            body += piece
    except (HTTPError, OSError):
        pass
    if 200 <= response.status_code < 300:
        raise OutcomeUnknown("The provider's answer was cut off.", code=str(response.status_code))
    return bytes(body)


def loss_of(error: requests.RequestException) -> TemporaryFailure | OutcomeUnknown:
    """Only where there was no connection is it certain that nothing was sent."""
    if isinstance(error, requests.ConnectTimeout):
        return TemporaryFailure("No connection to the provider in time.", reason=Reason.TIMED_OUT)
    unsent = (NewConnectionError, ssl.SSLCertVerificationError)
    if any(isinstance(cause, unsent) for cause in _causes(error)):
        return TemporaryFailure(
            "No connection to the provider.", reason=Reason.PROVIDER_UNAVAILABLE
        )
    return OutcomeUnknown("The provider's answer was lost.")


def _causes(error: BaseException) -> Iterator[object]:
    """The error and what it wraps: urllib3 keeps causes in `reason` and in `args`."""
    pending: list[object] = [error]
    for _ in range(10):
        if not pending:
            return
        cause = pending.pop()
        yield cause
        if isinstance(cause, BaseException):
            pending.extend(cause.args)
            pending.append(getattr(cause, "reason", None))
