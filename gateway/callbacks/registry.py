"""Which providers' callbacks are taken: those whose secret is configured."""

from collections.abc import Mapping
from functools import lru_cache

from gateway.callbacks.config import CallbackSettings, sendgrid_key
from gateway.callbacks.providers.meta import MetaCallbacks
from gateway.callbacks.providers.msg91 import MSG91Callbacks
from gateway.callbacks.providers.sendgrid import SendGridCallbacks
from gateway.callbacks.providers.ses import SESCallbacks
from gateway.callbacks.providers.sns import SNSVerifier
from gateway.callbacks.providers.twilio import TwilioCallbacks
from gateway.callbacks.requests import CallbackProvider


@lru_cache(maxsize=4)
def callback_providers(settings: CallbackSettings) -> Mapping[str, CallbackProvider]:
    """By name, as in the path and as workers report them."""
    found: list[CallbackProvider] = []
    key = sendgrid_key(settings.sendgrid_public_key) if settings.sendgrid_public_key else None
    if key is not None:
        found.append(SendGridCallbacks(key, settings.replay_seconds))
    if settings.ses_topics:
        found.append(SESCallbacks(settings.ses_topics, SNSVerifier(), settings.replay_seconds))
    if settings.twilio_auth_token:
        found.append(TwilioCallbacks(settings.twilio_auth_token))
    if settings.msg91_secret:
        found.append(MSG91Callbacks(settings.msg91_secret))
    if settings.meta_app_secret:
        found.append(MetaCallbacks(settings.meta_app_secret, settings.meta_verify_token))
    return {provider.name: provider for provider in found}
