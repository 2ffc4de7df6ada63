"""An organization's own accounts with providers: what each provider asks for, and what travels.

The gateway checks, encrypts and keeps them; a worker makes a provider of one as it makes the
platform's own, from settings of the same names (`settings_of`). A new provider that organizations
may bring is one entry here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

_KEY = r"[!-~]{8,512}"
_PEM = r"-----BEGIN [A-Z ]+-----[A-Za-z0-9+/=\s]{40,4000}-----END [A-Z ]+-----\s*"
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
_USER = r"[A-Za-z0-9._~!$&'()*+,;=:%-]{1,500}@"  # RFC 3986, 3.2.1
# A password travels encrypted, or not at all.
_SMTP = (
    rf"smtps://(?:{_USER})?{_HOST}(?::\d{{1,5}})?/?"
    rf"|smtp://(?:{_USER})?{_HOST}(?::\d{{1,5}})?/?\?starttls=true"
    rf"|smtp://{_HOST}(?::\d{{1,5}})?/?"
)
# It becomes part of a host's name.
_REGION = r"[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}"
_MAILBOX = (
    r"(?:[^<>\r\n\0]{0,120}<[^<>\s@]{1,64}@[^<>\s@]{1,255}>|[^<>\s@,]{1,64}@[^<>\s@,]{1,255})"
)
_NUMBER = r"\+[1-9]\d{6,14}"
_SERVICE = r"MG[0-9a-f]{32}"
_SENDER_ID = r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}"
# Google's alone: another address would make the worker call whatever an account names.
_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105  an address


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a provider asks for, and the setting by which its adapter knows it.

    `pattern` bounds the whole value: a value that a worker would take for the path of a file, or
    for another host, never matches. What is not `secret` is shown again.
    """

    name: str
    setting: str
    pattern: str
    example: str
    secret: bool = False
    needed: bool = True

    def accepts(self, value: str) -> bool:
        """Whether the value has the right form."""
        return re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True, slots=True)
class AccountShape:
    """What an account with one provider consists of.

    `operators` are settings that stay the operator's: where to call, for how long to wait.
    """

    credentials: tuple[Field, ...]
    sender: Field | None = None
    operators: tuple[str, ...] = ()

    def problems(self, credentials: Mapping[str, str]) -> list[str]:
        """What is wrong, without repeating any value; empty where nothing is."""
        known = {field.name: field for field in self.credentials}
        unknown = len(set(credentials) - set(known))
        needed = [f.name for f in self.credentials if f.needed and not credentials.get(f.name)]
        return [
            # Not the names either: a secret may stand in the wrong place.
            *([f"Has {unknown} unknown field(s)."] if unknown else []),
            *([f"Missing: {', '.join(needed)}."] if needed else []),
            *(
                f"{name} has not the form of one, such as {known[name].example}."
                for name, value in credentials.items()
                if name in known and value and not _usable(known[name], value)
            ),
            *([f"Allowed: {', '.join(known)}."] if unknown else []),
        ]

    def sender_problem(self, sender: str) -> str:
        """What is wrong with the sender; empty where nothing is."""
        if self.sender is None:
            return "This provider takes no sender." if sender else ""
        if not sender:
            return (
                f"This provider needs one, such as {self.sender.example}."
                if (self.sender.needed)
                else ""
            )
        return "" if self.sender.accepts(sender) else f"Expected one such as {self.sender.example}."


def _usable(field: Field, value: str) -> bool:
    if field.name == "service_account" and not _googles(value):
        return False
    return field.accepts(value)


class _KeyFile(msgspec.Struct):
    """The parts of a service account's key that say whom a worker would call."""

    project_id: str
    private_key: str
    token_uri: str = _TOKEN_URI


def _googles(value: str) -> bool:
    try:
        key = msgspec.json.decode(value, type=_KeyFile)
    except msgspec.MsgspecError:
        return False
    project = re.fullmatch(r"[a-z0-9:.-]{4,64}", key.project_id)
    return key.token_uri == _TOKEN_URI and project is not None


def _operators(prefix: str, *more: str) -> tuple[str, ...]:
    return (f"{prefix}_URL", f"{prefix}_TIMEOUT_SECONDS", *more)


_FROM = Field("sender", "EMAIL_FROM", _MAILBOX, "Acme <notifications@acme.example>")


def _secret(name: str, setting: str, example: str, *, pattern: str = _KEY) -> Field:
    return Field(name, setting, pattern, example, secret=True)


def _aws(prefix: str) -> tuple[Field, ...]:
    return (
        Field("region", f"{prefix}_REGION", _REGION, "eu-west-1"),
        Field("access_key_id", f"{prefix}_ACCESS_KEY_ID", r"[A-Z0-9]{16,128}", "AKIA…"),
        # Both are needed: without them the worker's own role would be used.
        _secret("secret_access_key", f"{prefix}_SECRET_ACCESS_KEY", "the secret of the key"),
    )


def _twilio() -> tuple[Field, ...]:
    return (
        Field("account_sid", "TWILIO_ACCOUNT_SID", r"AC[0-9a-f]{32}", "AC and 32 hex digits"),
        _secret("auth_token", "TWILIO_AUTH_TOKEN", "the account's auth token"),
    )


def _keyed(prefix: str, *names: str, more: tuple[Field, ...] = ()) -> AccountShape:
    """An email service that asks for keys."""
    fields = (_secret(name, f"{prefix}_{name.upper()}", "the service's key") for name in names)
    return AccountShape((*fields, *more), _FROM, _operators(prefix))


ACCOUNT_SHAPES: Mapping[str, Mapping[str, AccountShape]] = {
    "email": {
        "brevo": _keyed("BREVO", "api_key"),
        "mailgun": _keyed(
            "MAILGUN",
            "api_key",
            more=(Field("sender_domain", "MAILGUN_SENDER_DOMAIN", _HOST, "mg.acme.example"),),
        ),
        "mailjet": _keyed("MAILJET", "api_key", "secret_key"),
        "mandrill": _keyed("MANDRILL", "api_key"),
        "postmark": _keyed("POSTMARK", "server_token"),
        "resend": _keyed("RESEND", "api_key"),
        "sendgrid": _keyed("SENDGRID", "api_key"),
        "ses": AccountShape(_aws("SES"), _FROM, _operators("SES")),
        "smtp": AccountShape(
            (
                _secret(
                    "url",
                    "SMTP_URL",
                    "smtp://user:password@mail.acme.example:587?starttls=true",
                    pattern=_SMTP,
                ),
            ),
            _FROM,
            ("SMTP_TIMEOUT_SECONDS", "SMTP_MAILS_PER_CONNECTION"),
        ),
        "sparkpost": _keyed("SPARKPOST", "api_key"),
    },
    "sms": {
        "msg91": AccountShape(
            (
                _secret("auth_key", "MSG91_AUTH_KEY", "the account's authkey"),
                Field("template_id", "MSG91_TEMPLATE_ID", r"[0-9a-f]{24}", "24 hex digits"),
                Field("variable", "MSG91_VARIABLE", r"[A-Za-z0-9_]{1,32}", "VAR1", needed=False),
            ),
            operators=_operators("MSG91"),
        ),
        "sns": AccountShape(
            _aws("SNS"),
            Field(
                "sender", "SNS_SENDER_ID", r"(?=.*[A-Za-z])[A-Za-z0-9]{1,11}", "ACME", needed=False
            ),
            _operators("SNS"),
        ),
        "twilio": AccountShape(
            _twilio(),
            Field(
                "sender", "TWILIO_SMS_FROM", f"{_NUMBER}|{_SERVICE}|{_SENDER_ID}", "+15005550006"
            ),
            _operators("TWILIO"),
        ),
    },
    "whatsapp": {
        "meta": AccountShape(
            (_secret("access_token", "META_ACCESS_TOKEN", "the token of a system user"),),
            Field("sender", "META_PHONE_NUMBER_ID", r"\d{5,32}", "106540352242922"),
            _operators("META", "META_API_VERSION"),
        ),
        "msg91_whatsapp": AccountShape(
            (_secret("auth_key", "MSG91_AUTH_KEY", "the account's authkey"),),
            Field("sender", "MSG91_WHATSAPP_NUMBER", r"\+?[1-9]\d{6,14}", "+919999999999"),
            _operators("MSG91"),
        ),
        "twilio": AccountShape(
            _twilio(),
            Field("sender", "TWILIO_WHATSAPP_FROM", f"{_NUMBER}|{_SERVICE}", "+14155238886"),
            _operators("TWILIO"),
        ),
    },
    "push": {
        "apns": AccountShape(
            (
                _secret("key", "APNS_KEY", "the text of AuthKey_….p8", pattern=_PEM),
                Field("key_id", "APNS_KEY_ID", r"[A-Z0-9]{10}", "ABC123DEFG"),
                Field("team_id", "APNS_TEAM_ID", r"[A-Z0-9]{10}", "DEF123GHIJ"),
            ),
            Field("sender", "APNS_TOPIC", r"[A-Za-z0-9.-]{1,255}", "com.acme.app"),
            _operators("APNS"),
        ),
        "fcm": AccountShape(
            (
                _secret(
                    "service_account",
                    "FCM_SERVICE_ACCOUNT",
                    "the JSON of Google's key file",
                    pattern=r"\{[\s\S]{40,8000}\}",
                ),
            ),
            operators=_operators("FCM"),
        ),
        "webpush": AccountShape(
            (
                _secret(
                    "private_key",
                    "WEBPUSH_PRIVATE_KEY",
                    "the 43 characters of a VAPID key",
                    pattern=rf"[A-Za-z0-9_-]{{43}}|{_PEM}",
                ),
            ),
            Field(
                "sender",
                "WEBPUSH_SUBJECT",
                r"mailto:[^\s@]{1,64}@[^\s@]{1,255}|https://[!-~]{3,500}",
                "mailto:admin@acme.example",
            ),
            ("WEBPUSH_HOSTS", "WEBPUSH_TIMEOUT_SECONDS"),
        ),
    },
}
"""By channel and provider. The console and the sandbox are the platform's alone."""


class ProviderAccount(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An active account as a worker gets it: with its secrets, which its `repr` leaves out.

    Accounts of a lower `position` are tried first; of the same, in proportion to `weight`.
    `rate_per_second` None is what the provider declares, 0 no limit. `callback_url` is where the
    provider reports to; empty where it does not.
    """

    account_id: str
    channel: str
    provider: str
    sender: str = ""
    position: int = 0
    weight: int = 1
    rate_per_second: float | None = None
    callback_url: str = ""
    credentials: dict[str, str]

    def __repr__(self) -> str:
        """Never the credentials."""
        return f"ProviderAccount({self.account_id}, {self.channel}, {self.provider})"


class ActiveAccounts(msgspec.Struct, frozen=True):
    """What an organization sends with on a channel, in its order; empty where it has none.

    Where `platform_stands_in`, the platform's own providers come behind its accounts.
    """

    accounts: tuple[ProviderAccount, ...]
    platform_stands_in: bool = False


class UnusableAccount(ValueError):
    """An account of which no provider can be made; the message names no value."""


def settings_of(account: ProviderAccount) -> dict[str, str]:
    """Its settings, by the names that its provider's adapter reads. Raises UnusableAccount."""
    shape = ACCOUNT_SHAPES.get(account.channel, {}).get(account.provider)
    if shape is None:
        raise UnusableAccount("no such provider")
    if shape.problems(account.credentials) or shape.sender_problem(account.sender):
        raise UnusableAccount("its credentials or its sender have not the form of any")
    settings = {
        field.setting: account.credentials[field.name]
        for field in shape.credentials
        if account.credentials.get(field.name)
    }
    if shape.sender is not None and account.sender:
        settings[shape.sender.setting] = account.sender
    return settings
