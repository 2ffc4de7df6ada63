"""Twilio WhatsApp: the contract, and how text and templates differ on the wire."""

from collections.abc import Iterator

import msgspec
import pytest

from carillon.errors import Reason
from carillon.settings import Environment, SettingsError
from carillon.testing.http_double import (
    HTTPDouble,
    HTTPRig,
    permanent,
    temporary,
    transport_cases,
    unreadable_successes,
)
from carillon.testing.patience import PATIENCE
from carillon.testing.providers import CANARY_CODE, ProviderContract, delivery_job
from sms_worker.providers.twilio_whatsapp import TwilioWhatsAppProvider
from sms_worker.tests.twilio import SID, TOKEN, account, messages, refusal

FROM = "+14155238886"
CONTENT = "HX0123456789abcdef0123456789abcdef"

CASES = (
    *transport_cases(201),
    *unreadable_successes(201),
    permanent("no WhatsApp", refusal(400, 63003), Reason.INVALID_ADDRESS, "63003"),
    permanent("too late for text", refusal(400, 63016), Reason.INVALID_CONTENT, "63016"),
    permanent("no such sender", refusal(400, 63007), Reason.CONFIGURATION, "63007"),
    permanent("bad variables", refusal(400, 21656), Reason.INVALID_CONTENT, "21656"),
    temporary("the channel's limit", refusal(429, 63018), Reason.RATE_LIMITED, "63018"),
)


class WhatsAppRig(HTTPRig):
    channel = "whatsapp"
    secrets = (TOKEN,)

    def __init__(self, double: HTTPDouble, content_sid: str = "") -> None:
        super().__init__(double)
        settings = account(double.url, timeout=PATIENCE)
        self.provider = TwilioWhatsAppProvider(settings, FROM, content_sid)


class TestTwilioWhatsAppContract(ProviderContract):
    cases = CASES

    @pytest.fixture(params=["", CONTENT], ids=["text", "template"])
    def rig(self, request: pytest.FixtureRequest) -> Iterator[WhatsAppRig]:
        with HTTPDouble(messages) as double:
            rig = WhatsAppRig(double, request.param)
            yield rig
            rig.provider.close()


def sent(content_sid: str) -> dict[str, str]:
    with HTTPDouble(messages) as double:
        rig = WhatsAppRig(double, content_sid)
        rig.provider.send(delivery_job("whatsapp"))
        rig.provider.close()
        return double.requests[0].form


def test_text_goes_from_number_to_number() -> None:
    assert sent("") == {
        "To": "whatsapp:+447700900987",
        "From": f"whatsapp:{FROM}",
        "Body": f"Your code is {CANARY_CODE}.",
    }


def test_a_template_takes_the_text_as_its_variable_and_no_body() -> None:
    form = sent(CONTENT)
    assert form["ContentSid"] == CONTENT
    assert msgspec.json.decode(form["ContentVariables"]) == {"1": f"Your code is {CANARY_CODE}."}
    assert "Body" not in form


def test_settings_are_read_and_a_bad_template_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", SID)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("TWILIO_WHATSAPP_FROM", f"whatsapp:{FROM}")
    monkeypatch.setenv("TWILIO_WHATSAPP_CONTENT_SID", CONTENT)
    env = Environment(files=())
    assert TwilioWhatsAppProvider.from_environment(env).name == "twilio"
    monkeypatch.setenv("TWILIO_WHATSAPP_CONTENT_SID", "my-template")
    with pytest.raises(SettingsError, match="TWILIO_WHATSAPP_CONTENT_SID"):
        TwilioWhatsAppProvider.from_environment(env)
