"""Apple Push Notification service: push to Apple devices over HTTP/2, with a signed token.

https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
"""

import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from carillon.contracts.messages import DeliveryJob, PushContent
from carillon.contracts.provider import Acceptance, Capabilities
from carillon.errors import DeliveryFailure, PermanentFailure, Reason
from carillon.settings import Environment, SettingsError
from carillon.worker.providers.http import (
    DEFAULT_SECONDS,
    Answer,
    failure_of,
    require_tls,
    single_address,
)
from carillon.worker.providers.http2 import ProviderHTTP2
from carillon.worker.providers.verifying import account_check
from push_worker.apns_token import ProviderToken, SigningKey
from push_worker.terms import collapse_id, is_urgent, push_of, seconds_to_live

_URL = "https://api.push.apple.com"
_TOPIC_EXAMPLE = "com.example.app"
# https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification
_LONGEST_PAYLOAD = 4096
_TOKEN = re.compile(r"[0-9a-fA-F]{1,200}")
_NO_DEVICE = "0" * 64
_ABOUT_THE_DEVICE = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic", "Unregistered"})
_IDS = uuid.UUID("5f0c5a5e-6a53-4c1c-9d6c-1a1c4b3f7c11")

# https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
PERMANENT: Mapping[str, Reason] = {
    "Unregistered": Reason.DEAD_TOKEN,
    "ExpiredToken": Reason.DEAD_TOKEN,
    "BadDeviceToken": Reason.DEAD_TOKEN,  # of no device, or of the other environment
    "MissingDeviceToken": Reason.DEAD_TOKEN,
    "DeviceTokenNotForTopic": Reason.INVALID_ADDRESS,  # the token is another app's
    "PayloadTooLarge": Reason.PAYLOAD_TOO_LARGE,
    "PayloadEmpty": Reason.INVALID_CONTENT,
    "BadCollapseId": Reason.INVALID_CONTENT,
    "BadExpirationDate": Reason.INVALID_CONTENT,
    "BadMessageId": Reason.INVALID_CONTENT,
    "BadPriority": Reason.INVALID_CONTENT,
    "DuplicateHeaders": Reason.INVALID_CONTENT,
    "InvalidPushType": Reason.INVALID_CONTENT,
    "BadTopic": Reason.CONFIGURATION,
    "MissingTopic": Reason.CONFIGURATION,
    "TopicDisallowed": Reason.CONFIGURATION,
    "BadCertificate": Reason.CONFIGURATION,
    "BadCertificateEnvironment": Reason.CONFIGURATION,
    "BadEnvironmentKeyIdInToken": Reason.CONFIGURATION,  # a key for the other environment
    "ExpiredProviderToken": Reason.CONFIGURATION,  # also when just signed: our clock is wrong
    "Forbidden": Reason.CONFIGURATION,
    "InvalidProviderToken": Reason.CONFIGURATION,
    "MissingProviderToken": Reason.CONFIGURATION,
    "UnrelatedKeyIdInToken": Reason.CONFIGURATION,
    "BadPath": Reason.CONFIGURATION,
    "MethodNotAllowed": Reason.CONFIGURATION,
}
TEMPORARY: Mapping[str, Reason] = {
    "IdleTimeout": Reason.PROVIDER_UNAVAILABLE,
    "InternalServerError": Reason.PROVIDER_UNAVAILABLE,
    "ServiceUnavailable": Reason.PROVIDER_UNAVAILABLE,
    "Shutdown": Reason.PROVIDER_UNAVAILABLE,
    "TooManyProviderTokenUpdates": Reason.RATE_LIMITED,
    # To one device, not from us: a breaker that heard of it would stop all the others.
    "TooManyRequests": Reason.OTHER,
}


class APNsProvider:
    """Sends to one device; all threads share one connection, each call is a stream of it."""

    name = "apns"
    receipts = False
    capabilities = Capabilities(max_size=_LONGEST_PAYLOAD, platforms=frozenset({"apns"}))

    def __init__(
        self,
        key: SigningKey,
        topic: str,
        *,
        url: str = _URL,
        timeout: float = DEFAULT_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._topic = topic
        self._clock = clock
        self._token = ProviderToken(key, clock=clock)
        self._http = ProviderHTTP2(url, timeout=timeout, clock=clock)

    @classmethod
    def from_environment(cls, env: Environment) -> "APNsProvider":
        """APNS_TOPIC, what SigningKey reads, and what has a default. Raises SettingsError."""
        url = env.url("APNS_URL", schemes=("https", "http"), example=_URL, default=_URL)
        topic = env.text("APNS_TOPIC", example=_TOPIC_EXAMPLE)
        if not re.fullmatch(r"[A-Za-z0-9.-]{1,255}", topic):
            raise SettingsError("APNS_TOPIC", "is no bundle id", _TOPIC_EXAMPLE)
        return cls(
            SigningKey.from_environment(env),
            topic,
            url=require_tls("APNS_URL", url),
            timeout=env.number("APNS_TIMEOUT_SECONDS", DEFAULT_SECONDS, least=0.1, most=60),
        )

    def send(self, job: DeliveryJob) -> Acceptance:
        """Raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        push = push_of(job)
        device = single_address(job)
        if not _TOKEN.fullmatch(device.value):
            # It would be part of a path.
            raise PermanentFailure("The device token is none of APNs.", reason=Reason.DEAD_TOKEN)
        payload = _payload(push)
        if len(payload) > _LONGEST_PAYLOAD:
            raise PermanentFailure("The push is too long.", reason=Reason.PAYLOAD_TOO_LARGE)
        # The same for the same attempt at the same device: a repeat can be told by it.
        apns_id = str(uuid.uuid5(_IDS, f"{job.message_id}:{device.value}"))
        answer = self._post(
            f"/3/device/{device.value}", payload, {"apns-id": apns_id, **self._headers(job, push)}
        )
        if answer.status == 200:
            return Acceptance(answer.headers.get("apns-id") or apns_id)
        raise _failure(answer)

    def verify(self) -> str:
        """Sends to a token that no device has: whether Apple looks at it shows what it makes of us.

        The key is judged first (403), then the device. Raises TemporaryFailure or PermanentFailure.
        """
        headers = {
            "apns-topic": self._topic,
            "apns-push-type": "background",
            "apns-priority": "5",
            "apns-expiration": "0",
        }
        payload = msgspec.json.encode({"aps": {"content-available": 1}})
        with account_check():
            answer = self._post(f"/3/device/{_NO_DEVICE}", payload, headers)
            if _reason(answer) not in _ABOUT_THE_DEVICE:
                raise _failure(answer)
        return "Apple accepts the key. The topic shows with the first push."

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _post(self, path: str, payload: bytes, headers: Mapping[str, str]) -> Answer:
        token = self._token.get()
        answer = self._http.post(path, payload, {"authorization": f"bearer {token}", **headers})
        if _reason(answer) == "ExpiredProviderToken":
            # Refused before anything was sent: signed again once.
            renewed = self._token.renewed(token)
            if renewed is not None:
                headers = {"authorization": f"bearer {renewed}", **headers}
                answer = self._http.post(path, payload, headers)
        return answer

    def _headers(self, job: DeliveryJob, push: PushContent) -> dict[str, str]:
        now = self._clock()
        ttl = seconds_to_live(job, push, now)
        return {
            "apns-topic": self._topic,
            "apns-push-type": "alert",
            "apns-priority": "10" if is_urgent(job, push) else "5",
            # Without a key of the client's, a repeat takes the place of what it repeats.
            "apns-collapse-id": collapse_id(push.collapse_key or job.notification_id),
            # 0 is "now or never"; without the header Apple keeps it for 30 days.
            **({} if ttl is None else {"apns-expiration": str(int(now) + ttl if ttl else 0)}),
        }


def _payload(push: PushContent) -> bytes:
    """Raises PermanentFailure."""
    alert = {"title": push.title, "body": push.body}
    aps: dict[str, Any] = {"alert": {name: text for name, text in alert.items() if text}}
    if push.badge is not None:
        aps["badge"] = push.badge
    links = {"image": push.image, "action_url": push.action_url}
    if push.image:
        # Lets the app's extension fetch the image before it is shown.
        aps["mutable-content"] = 1
    own = {name: link for name, link in links.items() if link}
    try:
        return msgspec.json.encode({**own, **push.data, "aps": aps})
    except UnicodeEncodeError:
        raise PermanentFailure(
            "The content is not valid Unicode.", reason=Reason.INVALID_CONTENT
        ) from None


def _reason(answer: Answer) -> str:
    return str(answer.fields.get("reason") or "") if answer.status != 200 else ""


def _failure(answer: Answer) -> DeliveryFailure:
    reason = _reason(answer)
    if answer.status == 410 and reason not in PERMANENT:
        return PermanentFailure("The device is gone.", reason=Reason.DEAD_TOKEN, code="410")
    return failure_of(answer, reason, permanent=PERMANENT, temporary=TEMPORARY)
