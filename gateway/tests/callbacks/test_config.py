"""Which providers' callbacks are taken, by what is set; what is set wrongly stops the start."""

from typing import Any

import pytest

from carillon.contracts.provider_callbacks import CALLBACK_SHAPES
from carillon.settings import GivenSettings, SettingsError
from gateway.callbacks.config import CallbackSettings
from gateway.callbacks.registry import callback_providers
from gateway.tests.callbacks.signing import OTHER_SENDGRID_KEY, SETTINGS, TOPIC, shown_key

SET: dict[str, tuple[str, set[str]]] = {
    "BREVO_WEBHOOK_SECRET": ("s" * 16, {"brevo"}),
    "MAILGUN_WEBHOOK_SIGNING_KEY": ("s" * 16, {"mailgun"}),
    "MAILJET_WEBHOOK_SECRET": ("s" * 16, {"mailjet"}),
    "MANDRILL_WEBHOOK_KEY": ("s" * 16, {"mandrill"}),
    "META_APP_SECRET": ("s" * 16, {"meta"}),
    "MSG91_WEBHOOK_SECRET": ("s" * 16, {"msg91", "msg91_whatsapp"}),
    "POSTMARK_WEBHOOK_SECRET": ("s" * 16, {"postmark"}),
    "RESEND_WEBHOOK_SECRET": (SETTINGS.resend_secret, {"resend"}),
    "SENDGRID_WEBHOOK_PUBLIC_KEY": (shown_key(OTHER_SENDGRID_KEY), {"sendgrid"}),
    "SES_SNS_TOPIC_ARNS": (f"{TOPIC},{TOPIC}-2", {"ses"}),
    "SPARKPOST_WEBHOOK_SECRET": ("s" * 16, {"sparkpost"}),
    "TWILIO_AUTH_TOKEN": ("t", {"twilio"}),
}


def read(**given: str) -> CallbackSettings:
    return CallbackSettings.read(GivenSettings(given))


@pytest.mark.parametrize("name", SET)
def test_each_is_taken_where_its_secret_is_set(name: str) -> None:
    value, providers = SET[name]
    assert set(callback_providers(read(**{name: value}))) == providers


def test_all_are_taken_at_once_and_none_by_default() -> None:
    settings = read(**{name: value for name, (value, _) in SET.items()})
    taken = callback_providers(settings)
    assert set(taken) == set(CALLBACK_SHAPES)
    assert all(provider.name == name for name, provider in taken.items())
    assert callback_providers(read()) == {}
    # What Meta shows when it subscribes is no secret of what it reports.
    assert callback_providers(read(META_VERIFY_TOKEN="v" * 16)) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "canary-short") for name in SET if "WEBHOOK" in name or "META" in name),
        ("RESEND_WEBHOOK_SECRET", "canary-without-whsec-and-base64"),
        ("RESEND_WEBHOOK_SECRET", "whsec_canary!canary!canary!canary"),
        ("SENDGRID_WEBHOOK_PUBLIC_KEY", "canary" * 20),
        ("SES_SNS_TOPIC_ARNS", f"{TOPIC},canary"),
        ("CALLBACK_ACCOUNT_LIMIT", "0"),
        ("CALLBACK_REPLAY_SECONDS", "59"),
    ],
)
def test_what_is_set_wrongly_stops_the_start_and_is_not_repeated(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        read(**{name: value})
    assert "canary" not in str(caught.value)


def test_the_shapes_of_accounts_name_the_platforms_settings() -> None:
    """One vocabulary: what an organization sends is what an operator sets."""
    named: dict[str, Any] = {
        field.setting: provider
        for provider, shape in CALLBACK_SHAPES.items()
        for field in shape.secrets
    }
    assert set(named) == set(SET) - {"TWILIO_AUTH_TOKEN"} | {"META_VERIFY_TOKEN"}
