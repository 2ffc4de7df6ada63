"""Calls of Amazon's APIs through boto3: bounded, never repeated, and what each failure means.

One client per credential, for all threads. What was answered is judged like any other HTTP answer
(`carillon.worker.providers.http`), by Amazon's own code first.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

import boto3
import botocore.exceptions
from botocore.config import Config

from carillon.contracts.provider import Acceptance, CannotVerify, OutcomeUnknown
from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure
from carillon.settings import Environment, SettingsError
from carillon.worker.providers.http import (
    CONNECT_SECONDS,
    DEFAULT_SECONDS,
    POOL_SIZE,
    Answer,
    failure_of,
    require_tls,
    retry_after,
)
from carillon.worker.providers.verifying import account_check

# They write down requests with all that is in them.
for _name in ("boto3", "botocore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

_Result = TypeVar("_Result")

# https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html, the same for every service.
COMMON_PERMANENT: Mapping[str, Reason] = {
    "AccessDenied": Reason.CONFIGURATION,
    "AccessDeniedException": Reason.CONFIGURATION,
    "AuthorizationError": Reason.CONFIGURATION,
    "ExpiredToken": Reason.CONFIGURATION,
    "ExpiredTokenException": Reason.CONFIGURATION,
    "IncompleteSignature": Reason.CONFIGURATION,
    "InvalidClientTokenId": Reason.CONFIGURATION,
    "InvalidSecurity": Reason.CONFIGURATION,
    "MissingAuthenticationToken": Reason.CONFIGURATION,
    "NotAuthorized": Reason.CONFIGURATION,
    "OptInRequired": Reason.CONFIGURATION,
    "RequestExpired": Reason.CONFIGURATION,  # our clock is wrong
    "SignatureDoesNotMatch": Reason.CONFIGURATION,
    "UnrecognizedClientException": Reason.CONFIGURATION,
    "ValidationError": Reason.INVALID_CONTENT,
    "ValidationException": Reason.INVALID_CONTENT,
}
COMMON_TEMPORARY: Mapping[str, Reason] = {
    "InternalError": Reason.PROVIDER_UNAVAILABLE,
    "InternalFailure": Reason.PROVIDER_UNAVAILABLE,
    "ServiceUnavailable": Reason.PROVIDER_UNAVAILABLE,
    "RequestLimitExceeded": Reason.RATE_LIMITED,
    "Throttled": Reason.RATE_LIMITED,
    "Throttling": Reason.RATE_LIMITED,
    "ThrottlingException": Reason.RATE_LIMITED,
    "TooManyRequestsException": Reason.RATE_LIMITED,
}
# The key is genuine, and its policy does not allow this call.
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})


@cache
def _session() -> boto3.session.Session:
    """One for all clients of a process: it reads the services' descriptions, megabytes of them."""
    return boto3.session.Session()


@dataclass(frozen=True, slots=True)
class AWSAccount:
    """Where and as whom. Without a key boto3 looks for a role of the machine."""

    region: str
    key_id: str = ""
    secret: str = field(default="", repr=False)
    url: str = ""
    timeout: float = DEFAULT_SECONDS

    @classmethod
    def from_environment(cls, env: Environment, prefix: str) -> "AWSAccount":
        """<PREFIX>_REGION, and what has a default. Raises SettingsError."""
        key_id = env.text(f"{prefix}_ACCESS_KEY_ID", "")
        secret = env.text(f"{prefix}_SECRET_ACCESS_KEY", "")
        if bool(key_id) != bool(secret):
            missing = f"{prefix}_SECRET_ACCESS_KEY" if key_id else f"{prefix}_ACCESS_KEY_ID"
            raise SettingsError(missing, "is missing beside its other half", "both, or neither")
        name = f"{prefix}_URL"
        url = env.text(name, "")
        if url:
            url = env.url(name, schemes=("https", "http"), example="http://127.0.0.1:5000")
            require_tls(name, url)
        seconds = env.number(f"{prefix}_TIMEOUT_SECONDS", DEFAULT_SECONDS, least=0.1, most=60)
        region = env.text(f"{prefix}_REGION", example="eu-west-1")
        return cls(region, key_id, secret, url, seconds)


class AWSCalls:
    """A client of one service, and what each of its calls comes to."""

    def __init__(
        self,
        account: AWSAccount,
        service: str,
        *,
        permanent: Mapping[str, Reason],
        temporary: Mapping[str, Reason],
        now: Callable[[], float],
    ) -> None:
        self._permanent = {**COMMON_PERMANENT, **permanent}
        self._temporary = {**COMMON_TEMPORARY, **temporary}
        self._now = now
        # What this thread's call was answered: where it cannot be parsed, no exception tells.
        self._heard = threading.local()
        self.client: Any = _session().client(  # type: ignore[call-overload]
            service,
            region_name=account.region,
            endpoint_url=account.url or None,
            aws_access_key_id=account.key_id or None,
            aws_secret_access_key=account.secret or None,
            config=Config(
                connect_timeout=min(CONNECT_SECONDS, account.timeout),
                read_timeout=account.timeout,
                max_pool_connections=POOL_SIZE,
                # The outbox retries.
                retries={"total_max_attempts": 1, "mode": "standard"},
                # The environment's proxies are for people.
                proxies={},
            ),
        )
        self.client.meta.events.register(f"before-parse.{service}", self._hear)

    def run(
        self,
        call: Callable[[], _Result],
        reason_of: Callable[[str, str], Reason | None] = lambda _code, _text: None,
    ) -> _Result:
        """The call's result. `reason_of` may know better, by Amazon's code and words.

        Raises TemporaryFailure, PermanentFailure or OutcomeUnknown.
        """
        self._heard.answer = None
        try:
            return call()
        except botocore.exceptions.ClientError as error:
            said = error.response.get("Error", {})
            code, text = str(said.get("Code", "")), str(said.get("Message", ""))
            raise self._refusal(code, text, reason_of) from None
        except (
            botocore.exceptions.NoCredentialsError,
            botocore.exceptions.CredentialRetrievalError,
            botocore.exceptions.PartialCredentialsError,
        ):
            raise PermanentFailure(
                "There are no credentials for Amazon.", reason=Reason.CONFIGURATION
            ) from None
        except (botocore.exceptions.ParamValidationError, UnicodeEncodeError):
            raise PermanentFailure(
                "Amazon's API has no such content.", reason=Reason.INVALID_CONTENT
            ) from None
        except botocore.exceptions.ConnectTimeoutError:
            raise TemporaryFailure(
                "No connection to the provider in time.", reason=Reason.TIMED_OUT
            ) from None
        except (
            botocore.exceptions.EndpointConnectionError,
            botocore.exceptions.SSLError,
        ):
            raise TemporaryFailure("No connection to the provider.") from None
        except botocore.exceptions.BotoCoreError:
            # Timeouts and lost connections.
            raise self._refusal("", "", reason_of) from None
        except Exception:
            # botocore's parsers trip over some answers, in whatever way Python does.
            if self._heard.answer is None:
                raise
            raise self._refusal("", "", reason_of) from None

    def check(self, call: Callable[[], _Result], action: str) -> _Result:
        """The result of a call that sends nothing; `action` is what it needs to be allowed.

        Raises TemporaryFailure or PermanentFailure, and CannotVerify where a key that may well
        send may not do this.
        """
        try:
            with account_check():
                return self.run(call)
        except PermanentFailure as refusal:
            if refusal.code in _DENIED:
                raise CannotVerify(
                    f"Amazon knows the key, which may not call {action}: whether it may send shows "
                    "only in sending. Allow the call to verify the account."
                ) from None
            raise

    def close(self) -> None:
        """Close the pooled connections."""
        self.client.close()

    def _refusal(
        self, code: str, text: str, reason_of: Callable[[str, str], Reason | None]
    ) -> DeliveryFailure:
        answer: Answer | None = self._heard.answer
        if answer is None:
            return OutcomeUnknown("The provider's answer was lost.")
        better = reason_of(code, text)
        if better is not None:
            return PermanentFailure(
                "The provider refuses the message.", reason=better, code=code or str(answer.status)
            )
        return failure_of(answer, code, permanent=self._permanent, temporary=self._temporary)

    def _hear(self, response_dict: Mapping[str, Any], **_named: Any) -> None:
        headers = response_dict["headers"]
        wait = retry_after(headers, self._now())
        self._heard.answer = Answer(response_dict["status_code"], headers, retry_after=wait)


def acceptance_of(answer: Mapping[str, Any]) -> Acceptance:
    """Of a call that answers with a MessageId. Raises OutcomeUnknown where it has none."""
    message_id = answer.get("MessageId")
    if not isinstance(message_id, str) or not message_id:
        raise OutcomeUnknown("The provider's answer cannot be understood.")
    return Acceptance(message_id)
