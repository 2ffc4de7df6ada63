"""Twilio: Prism holds our requests, and our double's answers, to Twilio's own OpenAPI."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from carillon.contracts.messages import ProviderTemplate, TextContent
from carillon.errors import PermanentFailure, Reason
from carillon.testing.http_double import HTTPDouble
from carillon.testing.providers import delivery_job
from sms_worker.providers.twilio import TwilioSMSProvider
from sms_worker.providers.twilio_whatsapp import TwilioWhatsAppProvider
from sms_worker.tests.twilio import PATH, SID, TOKEN, account, messages, refusal
from tests.providers.conftest import PATIENCE, prism_before

SPECIFICATION = "node_modules/@twilio/cli-core/src/services/twilio-api/twilio_api_v2010.json"
CONTENT = "HX0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def double() -> Iterator[HTTPDouble]:
    with HTTPDouble(messages) as double:
        yield double


@pytest.fixture(scope="module")
def prism(
    programs: Path, double: HTTPDouble, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("prism")
    with prism_before(programs, programs / SPECIFICATION, double.url, folder) as url:
        yield url


def test_an_sms_is_what_twilio_specifies(prism: str, double: HTTPDouble) -> None:
    provider = TwilioSMSProvider(account(prism, timeout=PATIENCE), "+15005550006")
    before = double.took
    acceptance = provider.send(delivery_job("sms"))
    provider.close()
    assert acceptance.provider_message_id.startswith("SM")
    assert double.took == before + 1


@pytest.mark.parametrize(
    "content",
    [
        TextContent("Hello"),
        TextContent(template=ProviderTemplate(CONTENT, parameters=("Ada", "42"))),
    ],
    ids=["text", "template"],
)
def test_whatsapp_is_what_twilio_specifies(
    prism: str, double: HTTPDouble, content: TextContent
) -> None:
    callback = "https://notify.example.com/callbacks/twilio/"
    provider = TwilioWhatsAppProvider(
        account(prism, callback=callback, timeout=PATIENCE), "+15005550006"
    )
    acceptance = provider.send(delivery_job("whatsapp", content=content))
    provider.close()
    assert acceptance.provider_message_id.startswith("SM")
    assert double.requests[-1].form["StatusCallback"] == callback


def test_an_account_is_verified_by_a_call_that_twilio_specifies(
    prism: str, double: HTTPDouble
) -> None:
    provider = TwilioSMSProvider(account(prism, timeout=PATIENCE), "+15005550006")
    before = double.took
    assert "the account is active" in provider.verify()
    provider.close()
    assert (double.requests[-1].method, double.took) == ("GET", before)
    others = TwilioSMSProvider(account(prism, token="another", timeout=PATIENCE), "+15005550006")
    with pytest.raises(PermanentFailure) as caught:
        others.verify()
    others.close()
    assert (caught.value.reason, caught.value.code) == (Reason.CONFIGURATION, "20003")


def test_a_refusal_comes_through_in_our_words(prism: str, double: HTTPDouble) -> None:
    double.says = refusal(400, 21211)
    provider = TwilioSMSProvider(account(prism, timeout=PATIENCE), "+15005550006")
    try:
        with pytest.raises(PermanentFailure) as caught:
            provider.send(delivery_job("sms"))
    finally:
        double.says = None
        provider.close()
    assert caught.value.reason is Reason.INVALID_ADDRESS


def test_prism_would_have_told(prism: str) -> None:
    """The measure of the tests above: what breaks the specification does not pass."""
    answer = requests.post(
        f"{prism}{PATH}", data={"Body": "no To"}, auth=(SID, TOKEN), timeout=PATIENCE
    )
    assert answer.status_code in {400, 422}
    assert "prism" in answer.text or "To" in answer.text
