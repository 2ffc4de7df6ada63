"""The table of what organizations' accounts consist of fits every provider that workers have."""

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import email_worker.registry
import push_worker.registry
import sms_worker.registry
from carillon.contracts.provider import CannotVerify, Verifiable
from carillon.contracts.provider_accounts import ACCOUNT_SHAPES, ProviderAccount, settings_of
from carillon.contracts.provider_callbacks import CALLBACK_SHAPES
from carillon.settings import GivenSettings
from carillon.worker.accounts.making import AccountProviders, UnusableProvider
from carillon.worker.registry import EVERYWHERE

REGISTRIES = {
    **email_worker.registry.REGISTRY,
    **sms_worker.registry.REGISTRY,
    **push_worker.registry.REGISTRY,
}


def pem(key: Any) -> str:
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii"))


def service_account() -> str:
    key = pem(rsa.generate_private_key(65537, 2048)).replace("\n", "\\n")
    return (
        '{"type": "service_account", "project_id": "acme-app", "private_key_id": "1", '
        f'"private_key": "{key}", "client_email": "fcm@acme-app.iam.gserviceaccount.com"}}'
    )


KEY = "canary-0123456789abcdef0123456789"
FROM = "Acme <hello@acme.example>"
AWS = {"region": "eu-west-1", "access_key_id": "AKIA" + "A" * 16, "secret_access_key": KEY}
TWILIO = {"account_sid": "AC" + "0" * 32, "auth_token": KEY}
SAMPLES: dict[tuple[str, str], tuple[str, dict[str, str]]] = {
    ("email", "brevo"): (FROM, {"api_key": KEY}),
    ("email", "mailgun"): (FROM, {"api_key": KEY, "sender_domain": "mg.acme.example"}),
    ("email", "mailjet"): (FROM, {"api_key": KEY, "secret_key": KEY}),
    ("email", "mandrill"): (FROM, {"api_key": KEY}),
    ("email", "postmark"): (FROM, {"server_token": KEY}),
    ("email", "resend"): (FROM, {"api_key": KEY}),
    ("email", "sendgrid"): (FROM, {"api_key": KEY}),
    ("email", "ses"): (FROM, AWS),
    ("email", "smtp"): (FROM, {"url": f"smtp://user:{KEY}@mail.acme.example:587?starttls=true"}),
    ("email", "sparkpost"): (FROM, {"api_key": KEY}),
    ("sms", "msg91"): ("", {"auth_key": KEY, "template_id": "5e1e93cad6fc054d8e759a5b"}),
    ("sms", "sns"): ("ACME", AWS),
    ("sms", "twilio"): ("+15005550006", TWILIO),
    ("whatsapp", "meta"): ("106540352242922", {"access_token": KEY}),
    ("whatsapp", "msg91_whatsapp"): ("+919876543210", {"auth_key": KEY}),
    ("whatsapp", "twilio"): ("+14155238886", TWILIO),
    ("push", "apns"): (
        "com.acme.app",
        {
            "key": pem(ec.generate_private_key(ec.SECP256R1())),
            "key_id": "ABC123DEFG",
            "team_id": "DEF123GHIJ",
        },
    ),
    ("push", "fcm"): ("", {"service_account": service_account()}),
    ("push", "webpush"): (
        "mailto:admin@acme.example",
        {"private_key": pem(ec.generate_private_key(ec.SECP256R1()))},
    ),
}


def account(channel: str, provider: str, **fields: Any) -> ProviderAccount:
    sender, credentials = SAMPLES[channel, provider]
    return ProviderAccount(
        **{
            "account_id": "acct_1",
            "channel": channel,
            "provider": provider,
            "sender": sender,
            "credentials": credentials,
            **fields,
        }
    )


def pairs() -> Iterator[tuple[str, str]]:
    for channel, known in REGISTRIES.items():
        for provider in sorted(set(known) - set(EVERYWHERE)):
            yield channel, provider


def test_every_provider_of_the_workers_is_in_the_table_and_no_other() -> None:
    table = {(channel, name) for channel, shapes in ACCOUNT_SHAPES.items() for name in shapes}
    assert table == set(pairs()) == set(SAMPLES)


@pytest.mark.parametrize(("channel", "provider"), list(pairs()))
def test_every_account_is_verified_or_says_why_not(channel: str, provider: str) -> None:
    env = GivenSettings({"ENVIRONMENT": "production"})
    made = AccountProviders(REGISTRIES[channel], env).make(account(channel, provider)).provider
    try:
        assert isinstance(made, Verifiable)
        if provider.startswith("msg91"):
            with pytest.raises(CannotVerify):
                made.verify()
    finally:
        made.close()


@pytest.mark.parametrize(("channel", "provider"), list(pairs()))
def test_a_provider_can_be_made_of_an_account_alone(
    channel: str, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing of the worker's own environment is needed, or used.
    for name in settings_of(account(channel, provider)):
        monkeypatch.setenv(name, "the operator's own")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "operators")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "operators")
    env = GivenSettings({"ENVIRONMENT": "production"})
    made = AccountProviders(REGISTRIES[channel], env).make(account(channel, provider))
    try:
        assert not isinstance(made.provider, UnusableProvider)
        assert made.provider.name == provider
        assert made.provider.receipts is False
    finally:
        made.provider.close()


@pytest.mark.parametrize(("channel", "provider"), list(pairs()))
def test_a_provider_waits_for_receipts_where_its_account_says_that_they_come(
    channel: str, provider: str
) -> None:
    url = f"https://notify.example.com/callbacks/{provider}/acct_1/"
    env = GivenSettings({"ENVIRONMENT": "production"})
    told = account(channel, provider, callback_url=url)
    made = AccountProviders(REGISTRIES[channel], env).make(told)
    try:
        assert made.provider.receipts is (provider in CALLBACK_SHAPES)
    finally:
        made.provider.close()


@pytest.mark.parametrize(("channel", "provider"), list(pairs()))
def test_no_field_may_be_left_out_or_hold_another_line(channel: str, provider: str) -> None:
    shape = ACCOUNT_SHAPES[channel][provider]
    sender, credentials = SAMPLES[channel, provider]
    assert shape.problems(credentials) == []
    assert shape.sender_problem(sender) == ""
    for field in shape.credentials:
        if not field.needed:
            continue
        rest = {name: value for name, value in credentials.items() if name != field.name}
        assert shape.problems(rest) == [f"Missing: {field.name}."]
        for wrong in ("\x00", "x\r\nInjected: yes", "/etc/passwd", "http://169.254.169.254/"):
            told = shape.problems({**credentials, field.name: wrong})
            if field.secret and wrong.isprintable() and field.accepts("anything-at-all"):
                # A key of no particular form: it is sent to the provider, and to nobody else.
                continue
            assert told, (field.name, wrong)
            assert wrong not in " ".join(told)
    if shape.sender is not None:
        assert shape.sender_problem("x\r\nBcc: y@z.example")
        assert shape.sender_problem("") or not shape.sender.needed
