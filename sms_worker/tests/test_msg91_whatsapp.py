"""MSG91 WhatsApp: the contract, and how templates are filled on the wire."""

import itertools
from collections.abc import Iterator

import pytest

from carillon.contracts.messages import ProviderTemplate, TextContent
from carillon.errors import PermanentFailure, Reason
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
from carillon.testing.providers import CANARY_CODE, ProviderContract, delivery_job
from sms_worker.providers.msg91_whatsapp import MSG91WhatsAppProvider
from sms_worker.tests.test_msg91 import KEY, error, unauthorized

PATH = "/api/v5/whatsapp/whatsapp-outbound-message/bulk/"
NUMBER, TEMPLATE = "919876543210", "one_text"
_serial = itertools.count(1)


def failed(errors: str, status: int = 200) -> Reply:
    return Reply(status, {"status": "fail", "hasError": True, "data": "", "errors": errors})


def outbound(request: Request) -> Reply:
    """Answers as the bulk call does."""
    if request.headers.get("authkey") != KEY:
        return unauthorized("207")
    if request.path != PATH:
        return Reply(404, {"type": "error", "message": "Not found"})
    body = request.json
    (recipient,) = body["payload"]["template"]["to_and_components"]
    if body["integrated_number"] != NUMBER or not recipient["to"][0].isdigit():
        return failed("Invalid number")
    said = {
        "status": "success",
        "hasError": False,
        "data": "Message submitted successfully",
        "errors": None,
        "request_id": f"{next(_serial):032x}",
    }
    return Reply(200, said, took=True)


CASES = (
    *transport_cases(),
    *(case for case in unreadable_successes()),
    permanent("fails with 200", failed("Template not found: +447700900987"), Reason.OTHER, "400"),
    permanent("fails with 400", failed("no", 400), Reason.OTHER, "400"),
    permanent("address not listed", unauthorized("418"), Reason.CONFIGURATION, "418"),
    permanent("no credit", error("301"), Reason.CONFIGURATION, "301"),
    permanent("no such number", error("202"), Reason.INVALID_ADDRESS, "202"),
    temporary("the same again", error("311"), Reason.RATE_LIMITED, "311"),
    unknown("neither success nor failure", Reply(200, {"status": "maybe", "request_id": "7"})),
)


class MSG91WhatsAppRig(HTTPRig):
    channel = "whatsapp"
    secrets = (KEY,)

    def __init__(self, double: HTTPDouble, template: str = TEMPLATE) -> None:
        super().__init__(double)
        self.provider = MSG91WhatsAppProvider(
            url=double.url, key=KEY, number=NUMBER, template=template, timeout=PATIENCE
        )


@pytest.fixture
def rig() -> Iterator[MSG91WhatsAppRig]:
    with HTTPDouble(outbound) as double:
        rig = MSG91WhatsAppRig(double)
        yield rig
        rig.provider.close()


class TestMSG91WhatsAppContract(ProviderContract):
    cases = CASES


def test_a_text_fills_the_template_of_the_settings(rig: MSG91WhatsAppRig) -> None:
    acceptance = rig.provider.send(rig.job())
    assert rig.double.requests[0].json == {
        "integrated_number": NUMBER,
        "content_type": "template",
        "payload": {
            "messaging_product": "whatsapp",
            "type": "template",
            "template": {
                "name": TEMPLATE,
                "language": {"code": "en", "policy": "deterministic"},
                "to_and_components": [
                    {
                        "to": ["447700900987"],
                        "components": {
                            "body_1": {"type": "text", "value": f"Your code is {CANARY_CODE}."}
                        },
                    }
                ],
            },
        },
    }
    assert len(acceptance.provider_message_id) == 32


def test_the_jobs_own_template_goes_before_that_of_the_settings(rig: MSG91WhatsAppRig) -> None:
    asked = ProviderTemplate(
        "order_sent", "pt_BR", "8c2587cc_a149", ("Ada", "42"), ("Hi",), {"1": "b", "0": "a"}
    )
    rig.provider.send(rig.job(content=TextContent(template=asked)))
    template = rig.double.requests[0].json["payload"]["template"]
    assert (template["name"], template["namespace"]) == ("order_sent", "8c2587cc_a149")
    assert template["language"]["code"] == "pt_BR"
    assert template["to_and_components"][0]["components"] == {
        "header_1": {"type": "text", "value": "Hi"},
        "body_1": {"type": "text", "value": "Ada"},
        "body_2": {"type": "text", "value": "42"},
        "button_1": {"subtype": "url", "type": "text", "value": "a"},
        "button_2": {"subtype": "url", "type": "text", "value": "b"},
    }


def test_a_text_without_any_template_is_our_fault() -> None:
    with HTTPDouble(outbound) as double:
        rig = MSG91WhatsAppRig(double, template="")
        with pytest.raises(PermanentFailure) as caught:
            rig.provider.send(delivery_job("whatsapp"))
        assert (caught.value.reason, double.requests) == (Reason.CONFIGURATION, [])
        rig.provider.close()


def test_settings_are_read_and_a_bad_number_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSG91_AUTH_KEY", KEY)
    monkeypatch.setenv("MSG91_WHATSAPP_NUMBER", f"+{NUMBER}")
    env = Environment(files=())
    assert MSG91WhatsAppProvider.from_environment(env).name == "msg91_whatsapp"
    monkeypatch.setenv("MSG91_WHATSAPP_NUMBER", "us")
    with pytest.raises(SettingsError, match="MSG91_WHATSAPP_NUMBER"):
        MSG91WhatsAppProvider.from_environment(env)
