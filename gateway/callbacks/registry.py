"""Whose callbacks are taken: those of providers whose secret is configured, and of accounts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from gateway.callbacks.config import CallbackSettings, sendgrid_key
from gateway.callbacks.providers import mandrill, meta, resend, sendgrid, twilio
from gateway.callbacks.providers.brevo import BrevoCallbacks
from gateway.callbacks.providers.mailgun import MailgunCallbacks
from gateway.callbacks.providers.mailjet import MailjetCallbacks
from gateway.callbacks.providers.mandrill import MandrillCallbacks
from gateway.callbacks.providers.meta import MetaCallbacks
from gateway.callbacks.providers.msg91 import MSG91Callbacks
from gateway.callbacks.providers.postmark import PostmarkCallbacks
from gateway.callbacks.providers.resend import ResendCallbacks
from gateway.callbacks.providers.sendgrid import SendGridCallbacks
from gateway.callbacks.providers.ses import SESCallbacks
from gateway.callbacks.providers.sns import SNSVerifier
from gateway.callbacks.providers.sparkpost import SparkPostCallbacks
from gateway.callbacks.providers.twilio import TwilioCallbacks
from gateway.callbacks.requests import Callback, CallbackProvider
from gateway.callbacks.shared_secret import given_secret

Secrets = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Known:
    """How one provider's callbacks are verified.

    `make` takes what verifies them, by the names of carillon.contracts.provider_callbacks, and
    raises ValueError where that is no key. `has_proof` costs nothing: whether a callback holds
    anything at all that could be verified.
    """

    make: Callable[[Secrets, float, SNSVerifier], CallbackProvider]
    has_proof: Callable[[Callback], bool]


def _header(name: str) -> Callable[[Callback], bool]:
    return lambda callback: bool(callback.headers.get(name))


def _secret(callback: Callback) -> bool:
    return bool(given_secret(callback))


def _inside(callback: Callback) -> bool:
    """The signature is a part of the body, which is an object."""
    return callback.body.lstrip()[:1] == b"{"


def _sendgrid(secrets: Secrets, replay_seconds: float, _: SNSVerifier) -> CallbackProvider:
    key = sendgrid_key(secrets["public_key"])
    if key is None:
        raise ValueError("no public key")
    return SendGridCallbacks(key, replay_seconds)


_KNOWN: Final[Mapping[str, _Known]] = {
    "brevo": _Known(lambda s, *_: BrevoCallbacks(s["secret"]), _secret),
    "mailgun": _Known(lambda s, replay, _: MailgunCallbacks(s["signing_key"], replay), _inside),
    "mailjet": _Known(lambda s, *_: MailjetCallbacks(s["secret"]), _secret),
    "mandrill": _Known(lambda s, *_: MandrillCallbacks(s["key"]), _header(mandrill.SIGNATURE)),
    "meta": _Known(
        lambda s, *_: MetaCallbacks(s["app_secret"], s.get("verify_token", "")),
        _header(meta.SIGNATURE),
    ),
    "msg91": _Known(lambda s, *_: MSG91Callbacks(s["secret"]), _secret),
    "msg91_whatsapp": _Known(
        lambda s, *_: MSG91Callbacks(s["secret"], name="msg91_whatsapp"), _secret
    ),
    "postmark": _Known(lambda s, *_: PostmarkCallbacks(s["secret"]), _secret),
    "resend": _Known(lambda s, *_: ResendCallbacks(s["signing_secret"]), _header(resend.SIGNATURE)),
    "sendgrid": _Known(_sendgrid, _header(sendgrid.SIGNATURE)),
    "ses": _Known(
        lambda s, replay, sns: SESCallbacks(frozenset(s["topic_arn"].split(",")), sns, replay),
        _inside,
    ),
    "sparkpost": _Known(lambda s, *_: SparkPostCallbacks(s["secret"]), _secret),
    "twilio": _Known(lambda s, *_: TwilioCallbacks(s["auth_token"]), _header(twilio.SIGNATURE)),
}


@lru_cache(maxsize=4)
def callback_providers(settings: CallbackSettings) -> Mapping[str, CallbackProvider]:
    """The platform's, by name, as in the path and as workers report them."""
    verifier = SNSVerifier()
    return {
        name: make_provider(name, secrets, settings.replay_seconds, verifier)
        for name, secrets in settings.secrets()
    }


def is_known(name: str) -> bool:
    """Whether a provider of that name can report to us at all."""
    return name in _KNOWN


def has_proof(name: str, callback: Callback) -> bool:
    """Whether it is worth the look for a key."""
    return _KNOWN[name].has_proof(callback)


def make_provider(
    name: str, secrets: Secrets, replay_seconds: float, verifier: SNSVerifier | None = None
) -> CallbackProvider:
    """What verifies with these secrets. Raises ValueError or LookupError where they are none."""
    return _KNOWN[name].make(secrets, replay_seconds, verifier or _accounts_verifier())


@cache
def _accounts_verifier() -> SNSVerifier:
    """Of all accounts, so that none of them takes the platform's place at Amazon."""
    return SNSVerifier()
