"""Firebase Cloud Messaging: push through the HTTP v1 API to Android, Apple and web apps.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
"""

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from carillon.contracts.messages import DeliveryJob, PushContent
from carillon.contracts.provider import Acceptance, Capabilities
from carillon.errors import DeliveryFailure, PermanentFailure, Reason
from carillon.settings import Environment
from carillon.worker.providers.http import (
    DEFAULT_SECONDS,
    Answer,
    ProviderHTTP,
    failure_of,
    require_tls,
    single_address,
)
from carillon.worker.providers.verifying import account_check
from push_worker.service_account import AccessToken, ServiceAccount
from push_worker.terms import collapse_id, is_urgent, push_of, seconds_to_live, topic

_URL = "https://fcm.googleapis.com"
# https://firebase.google.com/docs/cloud-messaging/concept-options
_LONGEST_PAYLOAD = 4096
# Four weeks (AndroidConfig.ttl).
_LONGEST_TTL = 2_419_200
_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
# Of a push that is never sent.
_TOPIC = "carillon-verify"
_BAD_TOKEN = "The registration token is not a valid FCM registration token"  # noqa: S105  a text

# https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode, and the canonical statuses
# (https://cloud.google.com/apis/design/errors) of answers that have no such code.
PERMANENT: Mapping[str, Reason] = {
    "UNREGISTERED": Reason.DEAD_TOKEN,
    "SENDER_ID_MISMATCH": Reason.INVALID_ADDRESS,  # the token is another project's
    "INVALID_ARGUMENT": Reason.INVALID_CONTENT,
    "THIRD_PARTY_AUTH_ERROR": Reason.CONFIGURATION,  # the APNs key or the VAPID key is wrong
    "UNAUTHENTICATED": Reason.CONFIGURATION,
    "PERMISSION_DENIED": Reason.CONFIGURATION,
}
TEMPORARY: Mapping[str, Reason] = {
    "QUOTA_EXCEEDED": Reason.RATE_LIMITED,
    "RESOURCE_EXHAUSTED": Reason.RATE_LIMITED,
    "UNAVAILABLE": Reason.PROVIDER_UNAVAILABLE,
    "INTERNAL": Reason.PROVIDER_UNAVAILABLE,
}


class FCMProvider:
    """Sends to one device; FCM has no call for several."""

    name = "fcm"
    receipts = False
    # A device named without a platform is FCM's: it is the default of the API.
    capabilities = Capabilities(max_size=_LONGEST_PAYLOAD, platforms=frozenset({"fcm", ""}))

    def __init__(
        self,
        account: ServiceAccount,
        *,
        url: str = _URL,
        timeout: float = DEFAULT_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._path = f"/v1/projects/{quote(account.project, safe='')}/messages:send"
        self._token = AccessToken(account, timeout=timeout, clock=clock)
        self._http = ProviderHTTP(url, timeout=timeout, clock=clock)

    @classmethod
    def from_environment(cls, env: Environment) -> "FCMProvider":
        """FCM_SERVICE_ACCOUNT; and what has a default. Raises SettingsError."""
        url = env.url("FCM_URL", schemes=("https", "http"), example=_URL, default=_URL)
        return cls(
            ServiceAccount.from_environment(env),
            url=require_tls("FCM_URL", url),
            timeout=env.number("FCM_TIMEOUT_SECONDS", DEFAULT_SECONDS, least=0.1, most=60),
        )

    def send(self, job: DeliveryJob) -> Acceptance:
        """Raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        push = push_of(job)
        _check_size(push)
        message = _message(job, push, self._clock())
        body = {"message": {**message, "token": single_address(job).value}}
        return Acceptance(self._named(body))

    def verify(self) -> str:
        """Has FCM validate a push to a topic, and not send it.

        `validate_only`: https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send
        Raises TemporaryFailure or PermanentFailure.
        """
        dry_run = {"validate_only": True, "message": {"topic": _TOPIC, "data": {"check": "1"}}}
        with account_check():
            self._named(dry_run)
        return "Google accepts the service account, and it may send to the project's devices."

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()
        self._token.close()

    def _named(self, body: object) -> str:
        """The name that FCM gives the message. Raises what `send` raises."""
        answer = self._post(body)
        if _code(answer) == "UNAUTHENTICATED":
            # Refused before anything was sent: a token that was withdrawn early is renewed once.
            answer = self._post(body)
        name = answer.fields.get("name")
        if answer.status == 200 and isinstance(name, str) and name:
            return name
        raise _failure(answer)

    def _post(self, body: object) -> Answer:
        token = self._token.get()
        answer = self._http.post_json(
            self._path, body, headers={"Authorization": f"Bearer {token}"}
        )
        if _code(answer) == "UNAUTHENTICATED":
            self._token.forget(token)
        return answer


def _check_size(push: PushContent) -> None:
    """What is too long even without its wrapping; FCM judges the rest. Raises PermanentFailure."""
    texts = (push.title, push.body, push.image, push.action_url, *push.data, *push.data.values())
    if sum(len(text.encode(errors="replace")) for text in texts) > _LONGEST_PAYLOAD:
        raise PermanentFailure("The push is too long.", reason=Reason.PAYLOAD_TOO_LARGE)


def _message(job: DeliveryJob, content: PushContent, now: float) -> dict[str, Any]:
    """A Message without its token. FCM hands each device the part of its own platform."""
    urgent = is_urgent(job, content)
    ttl = seconds_to_live(job, content, now)
    if ttl is not None:
        ttl = min(ttl, _LONGEST_TTL)
    collapsed = {"collapse_key": content.collapse_key} if content.collapse_key else {}
    notification = {"title": content.title, "body": content.body, "image": content.image}
    link = {"action_url": content.action_url} if content.action_url else {}
    message: dict[str, Any] = {
        "notification": {name: value for name, value in notification.items() if value},
        "android": {
            "priority": "HIGH" if urgent else "NORMAL",
            **collapsed,
            **({} if ttl is None else {"ttl": f"{ttl}s"}),
            **({} if content.badge is None else _android_badge(content.badge)),
        },
        "apns": _apns(content, urgent=urgent, until=None if ttl is None else int(now) + ttl),
        "webpush": _webpush(content, urgent=urgent, ttl=ttl),
    }
    data = {**link, **content.data}
    return {**message, "data": data} if data else message


def _android_badge(badge: int) -> dict[str, Any]:
    return {"notification": {"notification_count": badge}}


def _apns(content: PushContent, *, urgent: bool, until: int | None) -> dict[str, Any]:
    headers = {"apns-priority": "10" if urgent else "5"}
    if until is not None:
        headers["apns-expiration"] = str(until)
    if content.collapse_key:
        headers["apns-collapse-id"] = collapse_id(content.collapse_key)
    aps: dict[str, Any] = {}
    if content.badge is not None:
        aps["badge"] = content.badge
    if content.image:
        # Lets the app's extension fetch the image before it is shown.
        aps["mutable-content"] = 1
    part: dict[str, Any] = {"headers": headers, "payload": {"aps": aps}}
    return {**part, "fcm_options": {"image": content.image}} if content.image else part


def _webpush(content: PushContent, *, urgent: bool, ttl: int | None) -> dict[str, Any]:
    headers = {"Urgency": "high" if urgent else "normal"}
    if ttl is not None:
        headers["TTL"] = str(ttl)
    if content.collapse_key:
        headers["Topic"] = topic(content.collapse_key)
    # FCM refuses a link that is not https (WebpushFcmOptions).
    if not content.action_url.startswith("https://"):
        return {"headers": headers}
    return {"headers": headers, "fcm_options": {"link": content.action_url}}


def _failure(answer: Answer) -> DeliveryFailure:
    code = _code(answer)
    if code == "INVALID_ARGUMENT":
        return PermanentFailure("FCM refuses the message.", reason=_argument(answer), code=code)
    return failure_of(answer, code, permanent=PERMANENT, temporary=TEMPORARY)


def _argument(answer: Answer) -> Reason:
    """INVALID_ARGUMENT is about the token, the size or the content; only the text tells."""
    error = _error(answer)
    text = str(error.get("message"))
    violations = _detail(error, _BAD_REQUEST).get("fieldViolations")
    fields = [
        violation.get("field")
        for violation in (violations if isinstance(violations, list) else [])
        if isinstance(violation, dict)
    ]
    if "message.token" in fields or text.startswith(_BAD_TOKEN):
        return Reason.DEAD_TOKEN
    return Reason.PAYLOAD_TOO_LARGE if "too big" in text else PERMANENT["INVALID_ARGUMENT"]


def _code(answer: Answer) -> str:
    """FCM's own code if there is one; else the canonical status."""
    error = _error(answer)
    return str(_detail(error, _FCM_ERROR).get("errorCode") or error.get("status") or "")


def _error(answer: Answer) -> dict[str, Any]:
    error = answer.fields.get("error")
    return error if isinstance(error, dict) else {}


def _detail(error: Mapping[str, Any], kind: str) -> dict[str, Any]:
    details = error.get("details")
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict) and detail.get("@type") == kind:
            return detail
    return {}
