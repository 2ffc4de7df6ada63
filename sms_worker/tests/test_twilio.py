"""Twilio SMS: the contract, each documented refusal, and what is on the wire."""

from collections.abc import Iterator

import pytest

from carillon.contracts.messages import Address
from carillon.errors import PermanentFailure, Reason
from carillon.settings import Environment, SettingsError
from carillon.testing.http_double import (
    HTTPDouble,
    HTTPRig,
    permanent,
    temporary,
    transport_cases,
    unknown,
    unreadable_successes,
)
from carillon.testing.patience import PATIENCE
from carillon.testing.providers import CANARY_CODE, Case, ProviderContract, delivery_job
from sms_worker.providers.twilio import PERMANENT, TEMPORARY, TwilioSMSProvider
from sms_worker.tests.twilio import PATH, SID, TOKEN, account, created, messages, refusal

FROM = "+15005550006"
SERVICE = "MG0123456789abcdef0123456789abcdef"


def coded_cases() -> Iterator[Case]:
    """Every code of the tables, with an HTTP status that says nothing of it."""
    for code, reason in PERMANENT.items():
        yield permanent(f"code {code}", refusal(400, int(code)), reason, code)
    for code, reason in TEMPORARY.items():
        yield temporary(f"code {code}", refusal(400, int(code)), reason, code)


CASES = (
    *transport_cases(201),
    *unreadable_successes(201),
    *coded_cases(),
    permanent("a code of tomorrow", refusal(400, 29999), Reason.OTHER, "29999"),
    permanent("a foreign credential", refusal(401, 20003), Reason.CONFIGURATION, "20003"),
    temporary("20429 with a wait", refusal(429, 20429, wait="3"), Reason.RATE_LIMITED, "20429", 3),
    permanent("failed at once", created({}, "failed", 21610), Reason.UNSUBSCRIBED, "21610"),
    unknown("failed for a reason of tomorrow", created({}, "failed", 39999)),
)


class TwilioRig(HTTPRig):
    channel = "sms"
    secrets = (TOKEN,)

    def __init__(self, double: HTTPDouble) -> None:
        super().__init__(double)
        self.provider = TwilioSMSProvider(account(double.url, timeout=PATIENCE), FROM)


@pytest.fixture
def rig() -> Iterator[TwilioRig]:
    with HTTPDouble(messages) as double:
        rig = TwilioRig(double)
        yield rig
        rig.provider.close()


class TestTwilioContract(ProviderContract):
    cases = CASES


def test_the_form_is_what_twilio_documents(rig: TwilioRig) -> None:
    acceptance = rig.provider.send(delivery_job("sms"))
    (request,) = rig.double.requests
    assert request.path == PATH
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.form == {
        "To": "+447700900987",
        "From": FROM,
        "Body": f"Your code is {CANARY_CODE}.",
    }
    assert acceptance.provider_message_id.startswith("SM")


def test_a_messaging_service_replaces_the_number(rig: TwilioRig) -> None:
    callback = "https://notify.example.com/callbacks/twilio/"
    settings = account(rig.double.url, callback=callback, timeout=PATIENCE)
    provider = TwilioSMSProvider(settings, SERVICE)
    provider.send(delivery_job("sms"))
    provider.close()
    form = rig.double.requests[0].form
    assert form["MessagingServiceSid"] == SERVICE
    assert form["StatusCallback"] == callback
    assert "From" not in form


def test_receipts_need_a_place_to_go() -> None:
    url = "https://api.twilio.com"
    assert not TwilioSMSProvider(account(url, timeout=1), FROM).receipts
    assert TwilioSMSProvider(account(url, callback=url, timeout=1), FROM).receipts


def test_a_wrong_token_is_told_as_configuration(rig: TwilioRig) -> None:
    settings = account(rig.double.url, token="another", timeout=PATIENCE)
    provider = TwilioSMSProvider(settings, FROM)
    with pytest.raises(PermanentFailure) as caught:
        provider.send(delivery_job("sms"))
    provider.close()
    assert (caught.value.reason, caught.value.code) == (Reason.CONFIGURATION, "20003")


@pytest.mark.parametrize("addresses", [(), (Address("+447700900001"), Address("+447700900002"))])
def test_not_one_address_is_refused_unsent(rig: TwilioRig, addresses: tuple[Address, ...]) -> None:
    with pytest.raises(PermanentFailure) as caught:
        rig.provider.send(delivery_job("sms", addresses=addresses))
    assert caught.value.reason is Reason.NO_ADDRESS
    assert rig.double.requests == []


SETTINGS = {
    "TWILIO_ACCOUNT_SID": SID,
    "TWILIO_AUTH_TOKEN": TOKEN,
    "TWILIO_SMS_FROM": FROM,
    "TWILIO_STATUS_CALLBACK_URL": "",
    "TWILIO_URL": "",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_it_is_made_from_settings(environment: pytest.MonkeyPatch) -> None:
    provider = TwilioSMSProvider.from_environment(Environment(files=()))
    assert (provider.name, provider.receipts) == ("twilio", False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TWILIO_ACCOUNT_SID", ""),
        ("TWILIO_ACCOUNT_SID", "canary-secret"),
        ("TWILIO_AUTH_TOKEN", ""),
        ("TWILIO_SMS_FROM", ""),
        ("TWILIO_URL", "http://api.twilio.com"),
        ("TWILIO_URL", "https://canary-secret@api.twilio.com"),
        ("TWILIO_STATUS_CALLBACK_URL", "notify.example.com"),
    ],
)
def test_a_bad_setting_stops_the_start_by_name(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        TwilioSMSProvider.from_environment(Environment(files=()))
    assert "canary-secret" not in str(caught.value)
    assert TOKEN not in str(caught.value)
