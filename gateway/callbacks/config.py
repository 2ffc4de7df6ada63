"""The settings of callbacks: the secrets by which each provider's are known."""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from carillon.contracts.provider_callbacks import CALLBACK_SHAPES
from carillon.settings import Environment, SettingsError

TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}")
_TOPIC_EXAMPLE = "arn:aws:sns:eu-west-1:123456789012:ses-events"
_KEY_EXAMPLE = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpV"
_LEAST_SECRET = 16


@dataclass(frozen=True, slots=True)
class CallbackSettings:
    """A provider without its secret takes no callbacks. Times are in seconds, sizes in bytes.

    Reports are kept for as long as `replay_seconds` after they came: whatever may still be
    repeated is known.
    """

    sendgrid_public_key: str = ""
    ses_topics: frozenset[str] = frozenset()
    twilio_auth_token: str = ""
    msg91_secret: str = ""
    meta_app_secret: str = ""
    meta_verify_token: str = ""
    brevo_secret: str = ""
    mailgun_signing_key: str = ""
    mailjet_secret: str = ""
    mandrill_key: str = ""
    postmark_secret: str = ""
    resend_secret: str = ""
    sparkpost_secret: str = ""
    # Callbacks that an organization's own accounts may send in a minute, all together.
    account_limit: int = 30_000
    body_limit: int = 5_000_000
    # A signature that is older says nothing. Providers repeat for a day.
    replay_seconds: float = 90_000.0
    # How long a report waits for the message that it is about.
    wait_seconds: float = 86_400.0

    @classmethod
    def read(cls, env: Environment) -> "CallbackSettings":
        """Raises SettingsError."""
        return cls(
            sendgrid_public_key=_public_key(env, "SENDGRID_WEBHOOK_PUBLIC_KEY"),
            ses_topics=_topics(env, "SES_SNS_TOPIC_ARNS"),
            twilio_auth_token=env.text("TWILIO_AUTH_TOKEN", ""),
            msg91_secret=_secret(env, "MSG91_WEBHOOK_SECRET"),
            meta_app_secret=_secret(env, "META_APP_SECRET"),
            meta_verify_token=_secret(env, "META_VERIFY_TOKEN"),
            brevo_secret=_secret(env, "BREVO_WEBHOOK_SECRET"),
            mailgun_signing_key=_secret(env, "MAILGUN_WEBHOOK_SIGNING_KEY"),
            mailjet_secret=_secret(env, "MAILJET_WEBHOOK_SECRET"),
            mandrill_key=_secret(env, "MANDRILL_WEBHOOK_KEY"),
            postmark_secret=_secret(env, "POSTMARK_WEBHOOK_SECRET"),
            resend_secret=_resend(env, "RESEND_WEBHOOK_SECRET"),
            sparkpost_secret=_secret(env, "SPARKPOST_WEBHOOK_SECRET"),
            account_limit=env.integer("CALLBACK_ACCOUNT_LIMIT", 30_000, least=1),
            body_limit=env.integer("CALLBACK_BODY_LIMIT", 5_000_000, least=10_000),
            replay_seconds=env.number(
                "CALLBACK_REPLAY_SECONDS", 90_000.0, least=60, most=7 * 86_400
            ),
            wait_seconds=env.number("CALLBACK_WAIT_SECONDS", 86_400.0, least=1, most=7 * 86_400),
        )

    def secrets(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """By provider, those whose callbacks are taken; MSG91 reports of both channels alike."""
        taken: Mapping[str, Mapping[str, str]] = {
            "brevo": {"secret": self.brevo_secret},
            "mailgun": {"signing_key": self.mailgun_signing_key},
            "mailjet": {"secret": self.mailjet_secret},
            "mandrill": {"key": self.mandrill_key},
            "meta": {"app_secret": self.meta_app_secret, "verify_token": self.meta_verify_token},
            "msg91": {"secret": self.msg91_secret},
            "msg91_whatsapp": {"secret": self.msg91_secret},
            "postmark": {"secret": self.postmark_secret},
            "resend": {"signing_secret": self.resend_secret},
            "sendgrid": {"public_key": self.sendgrid_public_key},
            "ses": {"topic_arn": ",".join(self.ses_topics)},
            "sparkpost": {"secret": self.sparkpost_secret},
            "twilio": {"auth_token": self.twilio_auth_token},
        }
        # The first verifies; Meta's other one only answers when it subscribes.
        return ((name, given) for name, given in taken.items() if next(iter(given.values())))


def _secret(env: Environment, name: str) -> str:
    value = env.text(name, "")
    if value and len(value) < _LEAST_SECRET:
        raise SettingsError(name, f"is shorter than {_LEAST_SECRET} characters", "0f" * 16)
    return value


def _resend(env: Environment, name: str) -> str:
    value = _secret(env, name)
    if value and CALLBACK_SHAPES["resend"].problems({"signing_secret": value}):
        raise SettingsError(name, "is no signing secret of Resend's", f"whsec_{'A' * 32}")
    return value


def _topics(env: Environment, name: str) -> frozenset[str]:
    found = frozenset(env.names(name, ()))
    if not all(TOPIC.fullmatch(topic) for topic in found):
        raise SettingsError(name, "is no list of ARNs of SNS topics", _TOPIC_EXAMPLE)
    return found


def _public_key(env: Environment, name: str) -> str:
    value = env.text(name, "")
    if value and sendgrid_key(value) is None:
        raise SettingsError(name, "is no public key of an elliptic curve", _KEY_EXAMPLE)
    return value


def sendgrid_key(text: str) -> EllipticCurvePublicKey | None:
    """The key as SendGrid shows it, base64 of its DER form; None where it is none."""
    try:
        key = load_der_public_key(b64decode(text, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, EllipticCurvePublicKey) else None
