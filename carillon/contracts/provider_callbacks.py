"""What verifies the callbacks of an organization's own account, provider by provider.

The gateway keeps it apart from what sends, and shows it to no worker: a worker learns only whether
receipts come, and for Twilio where they are to go to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from carillon.contracts.provider_accounts import AccountShape, Field, ProviderAccount

# In a header, a password or an address, wherever the service lets it stand.
_CHOSEN: Final = r"[A-Za-z0-9._~-]{16,128}"
_TOPIC: Final = (
    r"arn:aws(?:-cn|-us-gov)?:sns:[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}:\d{12}:[A-Za-z0-9_-]{1,256}"
)
_SVIX: Final = r"whsec_(?:[A-Za-z0-9+/]{4}){6,40}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"


@dataclass(frozen=True, slots=True)
class CallbackShape:
    """What an account's callbacks take.

    `receipts` is the setting by which the provider's adapter knows that they come: true, or for
    Twilio the address itself. `lent` are credentials of the account that verify too.
    """

    secrets: tuple[Field, ...]
    receipts: str
    lent: tuple[str, ...] = ()

    def problems(self, secrets: Mapping[str, str]) -> list[str]:
        """What is wrong, without repeating any value; empty where nothing is."""
        return AccountShape(self.secrets).problems(secrets)


def _chosen(prefix: str) -> CallbackShape:
    """Of a service that signs nothing: you choose a secret, and name it there."""
    field = Field("secret", f"{prefix}_WEBHOOK_SECRET", _CHOSEN, "32 random letters", secret=True)
    return CallbackShape((field,), f"{prefix}_RECEIPTS")


def _given(prefix: str, *fields: Field) -> CallbackShape:
    return CallbackShape(fields, f"{prefix}_RECEIPTS")


CALLBACK_SHAPES: Mapping[str, CallbackShape] = {
    "brevo": _chosen("BREVO"),
    "mailgun": _given(
        "MAILGUN",
        Field(
            "signing_key",
            "MAILGUN_WEBHOOK_SIGNING_KEY",
            r"[!-~]{16,128}",
            "the HTTP webhook signing key",
            secret=True,
        ),
    ),
    "mailjet": _chosen("MAILJET"),
    "mandrill": _given(
        "MANDRILL",
        Field("key", "MANDRILL_WEBHOOK_KEY", r"[!-~]{16,128}", "the webhook's key", secret=True),
    ),
    "meta": _given(
        "META",
        Field("app_secret", "META_APP_SECRET", r"[0-9a-f]{32}", "32 hex digits", secret=True),
        Field("verify_token", "META_VERIFY_TOKEN", _CHOSEN, "32 random letters", secret=True),
    ),
    "msg91": _chosen("MSG91"),
    "msg91_whatsapp": _chosen("MSG91"),
    "postmark": _chosen("POSTMARK"),
    "resend": _given(
        "RESEND",
        Field("signing_secret", "RESEND_WEBHOOK_SECRET", _SVIX, "whsec_…", secret=True),
    ),
    "sendgrid": _given(
        "SENDGRID",
        Field(
            "public_key",
            "SENDGRID_WEBHOOK_PUBLIC_KEY",
            r"[A-Za-z0-9+/]{80,400}={0,2}",
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…",
        ),
    ),
    "ses": _given(
        "SES",
        Field(
            "topic_arn",
            "SES_SNS_TOPIC_ARNS",
            _TOPIC,
            "arn:aws:sns:eu-west-1:123456789012:ses-events",
        ),
    ),
    "sparkpost": _chosen("SPARKPOST"),
    "twilio": CallbackShape((), "TWILIO_STATUS_CALLBACK_URL", lent=("auth_token",)),
}
"""By provider. What is missing reports nothing that could be verified, or nothing at all."""


def receipt_settings(account: ProviderAccount) -> dict[str, str]:
    """By what its provider's adapter knows that receipts come; empty where none do."""
    shape = CALLBACK_SHAPES.get(account.provider)
    if shape is None or not account.callback_url:
        return {}
    is_address = shape.receipts.endswith("_URL")
    return {shape.receipts: account.callback_url if is_address else "true"}
