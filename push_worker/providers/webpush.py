"""Web Push: to browsers, through whichever push service the browser chose.

RFC 8030 (the protocol), RFC 8291 (encryption), RFC 8292 (VAPID).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from carillon.contracts.messages import DeliveryJob, PushContent
from carillon.contracts.provider import Acceptance, Capabilities
from carillon.errors import DeliveryFailure, PermanentFailure, Reason
from carillon.settings import Environment, SettingsError
from carillon.worker.providers.http import (
    DEFAULT_SECONDS,
    Answer,
    ProviderHTTP,
    failure_of,
    is_loopback,
    single_address,
)
from push_worker.subscriptions import LONGEST_PLAINTEXT, Subscription
from push_worker.terms import is_urgent, push_of, seconds_to_live, topic
from push_worker.vapid import VAPIDKey, VAPIDTokens

# The push services of Chrome and its kin, Firefox, Safari and Edge.
HOSTS = (
    "fcm.googleapis.com",
    "*.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)
_HOSTS_SETTING = "WEBPUSH_HOSTS"
# Four weeks, as long as FCM keeps one: the header is compulsory (RFC 8030, 5.2).
_LONGEST_TTL = 2_419_200
_CONNECTIONS = 16

_PERMANENT: Mapping[str, Reason] = {
    "404": Reason.DEAD_TOKEN,  # RFC 8030, 7.3
    "410": Reason.DEAD_TOKEN,
    "403": Reason.INVALID_ADDRESS,  # the subscription was made with another VAPID key
    "413": Reason.PAYLOAD_TOO_LARGE,
}


class WebPushProvider:
    """Sends to one browser. A subscription names the URL: only known push services are called."""

    name = "webpush"
    receipts = False
    capabilities = Capabilities(max_size=LONGEST_PLAINTEXT, platforms=frozenset({"webpush"}))

    def __init__(
        self,
        key: VAPIDKey,
        *,
        hosts: Sequence[str] = HOSTS,
        timeout: float = DEFAULT_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._hosts = tuple(host.lower() for host in hosts)
        self._clock = clock
        self._tokens = VAPIDTokens(key, clock=clock)
        self._http = ProviderHTTP("", timeout=timeout, hosts=_CONNECTIONS, clock=clock)

    @classmethod
    def from_environment(cls, env: Environment) -> "WebPushProvider":
        """What VAPIDKey reads, and what has a default. Raises SettingsError."""
        hosts = env.names(_HOSTS_SETTING, HOSTS)
        if not hosts or any(set(host.removeprefix("*.")) & set("*/: @") for host in hosts):
            raise SettingsError(_HOSTS_SETTING, "is no list of host names", ",".join(HOSTS))
        return cls(
            VAPIDKey.from_environment(env),
            hosts=hosts,
            timeout=env.number("WEBPUSH_TIMEOUT_SECONDS", DEFAULT_SECONDS, least=0.1, most=60),
        )

    def send(self, job: DeliveryJob) -> Acceptance:
        """Raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        push = push_of(job)
        subscription = Subscription.read(single_address(job).value)
        if not self._may_call(subscription):
            raise PermanentFailure(
                "The subscription's push service is none that may be called.",
                reason=Reason.INVALID_ADDRESS,
            )
        content = _payload(push)
        if len(content) > LONGEST_PLAINTEXT:
            raise PermanentFailure("The push is too long.", reason=Reason.PAYLOAD_TOO_LARGE)
        headers = {
            **self._headers(job, push),
            "Authorization": self._tokens.authorization(subscription.origin),
        }
        answer = self._http.post_bytes(
            subscription.endpoint, subscription.encrypt(content), headers
        )
        if answer.status in {200, 201, 202}:
            # The Location that comes with it is a key to the message: it is not kept.
            return Acceptance()
        raise _failure(answer)

    def verify(self) -> str:
        """Signs with the key: no push service is asked, for each hears of it with a push alone.

        Raises nothing: a key that cannot sign makes no provider.
        """
        self._tokens.authorization("https://push.example.com")
        return (
            "The key signs. Browsers take it where their subscriptions were made with its public "
            "half; no push service was asked."
        )

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def _may_call(self, subscription: Subscription) -> bool:
        """Whether it is https to a push service that we know; a user chose that URL."""
        named = is_known(subscription.host, self._hosts)
        if is_loopback(subscription.host):
            return named
        usual = subscription.port in {None, 443} and subscription.origin.startswith("https://")
        return named and usual

    def _headers(self, job: DeliveryJob, push: PushContent) -> dict[str, str]:
        ttl = seconds_to_live(job, push, self._clock())
        return {
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(_LONGEST_TTL if ttl is None else min(ttl, _LONGEST_TTL)),
            "Urgency": "high" if is_urgent(job, push) else "normal",
            **({"Topic": topic(push.collapse_key)} if push.collapse_key else {}),
        }


def is_known(host: str, patterns: Sequence[str]) -> bool:
    """Whether a pattern names the host; `*.` stands for one label or more."""
    return any(
        host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
        for pattern in patterns
    )


def _payload(push: PushContent) -> bytes:
    """What the web app's service worker gets as JSON. Raises PermanentFailure."""
    fields: dict[str, Any] = {
        "title": push.title,
        "body": push.body,
        "image": push.image,
        "action_url": push.action_url,
        "data": push.data,
    }
    said = {name: value for name, value in fields.items() if value}
    if push.badge is not None:
        said["badge"] = push.badge
    try:
        return msgspec.json.encode(said)
    except UnicodeEncodeError:
        raise PermanentFailure(
            "The content is not valid Unicode.", reason=Reason.INVALID_CONTENT
        ) from None


def _failure(answer: Answer) -> DeliveryFailure:
    return failure_of(answer, str(answer.status), permanent=_PERMANENT, temporary={})
