"""Meta's Cloud API: the contract, each documented refusal, and what is on the wire."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from carillon.errors import Reason
from carillon.settings import Environment, SettingsError
from carillon.testing.http_double import (
    HTTPDouble,
    HTTPRig,
    Reply,
    Request,
    permanent,
    temporary,
    transport_cases,
    unknown,
    unreadable_successes,
)
from carillon.testing.patience import PATIENCE
from carillon.testing.providers import CANARY_CODE, Case, ProviderContract, delivery_job
from sms_worker.providers.meta import PERMANENT, TEMPORARY, MetaProvider, Template

TOKEN = "EAAcanary-access-token"
PHONE = "106540352242922"
PATH = f"/v23.0/{PHONE}/messages"
TEMPLATE = Template("one_time_code", "pt_BR")
_serial = itertools.count(1)


def refusal(status: int, code: int, wait: str = "") -> Reply:
    """https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes"""
    error = {
        "message": f"(#{code}) Refused: +447700900987",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": "canary-otp-918273"},
        "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
    }
    return Reply(status, {"error": error}, {"Retry-After": wait} if wait else {})


def messages(request: Request) -> Reply:
    """Answers as /messages does."""
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return refusal(401, 190)
    if request.path != PATH:
        return refusal(400, 33)
    body = request.json
    if body["messaging_product"] != "whatsapp" or body["type"] not in body:
        return refusal(400, 131008)
    wa_id = body["to"].removeprefix("+")
    accepted = {
        "messaging_product": "whatsapp",
        "contacts": [{"input": body["to"], "wa_id": wa_id}],
        "messages": [{"id": f"wamid.{next(_serial):032X}", "message_status": "accepted"}],
    }
    return Reply(200, accepted, took=True)


def coded_cases() -> Iterator[Case]:
    """Every code of the tables, with a status that says nothing of it; of 200-299 the ends."""
    inner = {str(code) for code in range(201, 299)}
    for code, reason in PERMANENT.items():
        if code not in inner:
            yield permanent(f"code {code}", refusal(400, int(code)), reason, code)
    for code, reason in TEMPORARY.items():
        yield temporary(f"code {code}", refusal(400, int(code)), reason, code)


CASES = (
    *transport_cases(),
    *unreadable_successes(),
    *coded_cases(),
    permanent("a code of tomorrow", refusal(400, 139999), Reason.OTHER, "139999"),
    permanent("a final code in trouble", refusal(500, 190), Reason.CONFIGURATION, "190"),
    temporary("throughput", refusal(429, 130429, "5"), Reason.RATE_LIMITED, "130429", 5.0),
    temporary("trouble without a code", refusal(500, 139998), Reason.PROVIDER_UNAVAILABLE),
    permanent("an error of odd shape", Reply(400, {"error": "?"}), Reason.OTHER, "400"),
    unknown("accepted nothing", Reply(200, {"messages": []})),
    unknown("accepted strangely", Reply(200, {"messages": [{"id": 7}]})),
)


class MetaRig(HTTPRig):
    channel = "whatsapp"
    secrets = (TOKEN,)

    def __init__(self, double: HTTPDouble, template: Template | None = None) -> None:
        super().__init__(double)
        self.provider = MetaProvider(
            url=double.url,
            token=TOKEN,
            phone_number_id=PHONE,
            template=template,
            timeout=PATIENCE,
        )


class TestMetaContract(ProviderContract):
    cases = CASES

    @pytest.fixture
    def rig(self) -> Iterator[MetaRig]:
        with HTTPDouble(messages) as double:
            rig = MetaRig(double)
            yield rig
            rig.provider.close()


def sent(template: Template | None = None) -> Any:
    with HTTPDouble(messages) as double:
        rig = MetaRig(double, template)
        acceptance = rig.provider.send(delivery_job("whatsapp"))
        rig.provider.close()
        assert acceptance.provider_message_id.startswith("wamid.")
        return double.requests[0].json


def test_text_is_what_meta_documents() -> None:
    assert sent() == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+447700900987",
        "type": "text",
        "text": {"preview_url": False, "body": f"Your code is {CANARY_CODE}."},
    }


def test_a_template_takes_the_text_as_its_variable() -> None:
    body = sent(TEMPLATE)
    assert (body["type"], "text" in body) == ("template", False)
    assert body["template"] == {
        "name": "one_time_code",
        "language": {"code": "pt_BR"},
        "components": [
            {
                "type": "body",
                "parameters": [{"type": "text", "text": f"Your code is {CANARY_CODE}."}],
            }
        ],
    }


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("META_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("META_PHONE_NUMBER_ID", PHONE)
    return monkeypatch


def test_it_is_made_from_settings(environment: pytest.MonkeyPatch) -> None:
    assert not MetaProvider.from_environment(Environment(files=())).receipts
    environment.setenv("META_RECEIPTS", "true")
    environment.setenv("META_TEMPLATE", "one_time_code")
    assert MetaProvider.from_environment(Environment(files=())).receipts


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("META_ACCESS_TOKEN", ""),
        ("META_PHONE_NUMBER_ID", ""),
        ("META_PHONE_NUMBER_ID", "../canary"),
        ("META_API_VERSION", "23"),
        ("META_URL", "http://graph.facebook.com"),
    ],
)
def test_a_bad_setting_stops_the_start_by_name(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        MetaProvider.from_environment(Environment(files=()))
    assert TOKEN not in str(caught.value)
