"""A template that the job names, as Twilio and Meta are told of it; and who takes none."""

from typing import Any

import msgspec
import pytest

from carillon.contracts.messages import DeliveryJob, ProviderTemplate, TextContent
from carillon.errors import PermanentFailure, Reason
from carillon.testing.http_double import HTTPDouble
from carillon.testing.providers import delivery_job
from sms_worker.content import text_of
from sms_worker.providers.meta import Template
from sms_worker.tests.test_meta import MetaRig
from sms_worker.tests.test_meta import messages as meta_messages
from sms_worker.tests.test_twilio_whatsapp import WhatsAppRig
from sms_worker.tests.twilio import messages as twilio_messages

CONTENT = "HX0123456789abcdef0123456789abcdef"
FULL = ProviderTemplate("order_sent", "pt_BR", "", ("Ada", "42"), ("Hi",), {"1": "b", "0": "a"})


def asking(template: ProviderTemplate) -> DeliveryJob:
    return delivery_job("whatsapp", content=TextContent(template=template))


def told_to_meta(template: ProviderTemplate, own: Template | None = None) -> Any:
    with HTTPDouble(meta_messages) as double:
        rig = MetaRig(double, own)
        rig.provider.send(asking(template))
        rig.provider.close()
        return double.requests[0].json["template"]


def told_to_twilio(template: ProviderTemplate, own: str = "") -> dict[str, str]:
    with HTTPDouble(twilio_messages) as double:
        rig = WhatsAppRig(double, own)
        rig.provider.send(asking(template))
        rig.provider.close()
        return double.requests[0].form


def test_meta_is_told_each_part() -> None:
    assert told_to_meta(FULL, Template("of_the_settings", "en_US")) == {
        "name": "order_sent",
        "language": {"code": "pt_BR"},
        "components": [
            {"type": "header", "parameters": [{"type": "text", "text": "Hi"}]},
            {
                "type": "body",
                "parameters": [{"type": "text", "text": "Ada"}, {"type": "text", "text": "42"}],
            },
            {
                "type": "button",
                "sub_type": "url",
                "index": "0",
                "parameters": [{"type": "text", "text": "a"}],
            },
            {
                "type": "button",
                "sub_type": "url",
                "index": "1",
                "parameters": [{"type": "text", "text": "b"}],
            },
        ],
    }


def test_meta_needs_no_parts_and_has_a_language_of_its_own() -> None:
    bare = ProviderTemplate("hello_world")
    assert told_to_meta(bare) == {"name": "hello_world", "language": {"code": "en_US"}}


def test_twilio_is_told_one_row_of_variables_and_no_body() -> None:
    form = told_to_twilio(replace_name(FULL), own="HX" + "f" * 32)
    assert form["ContentSid"] == CONTENT
    assert msgspec.json.decode(form["ContentVariables"]) == {
        "1": "Hi",
        "2": "Ada",
        "3": "42",
        "4": "a",
        "5": "b",
    }
    assert "Body" not in form


def test_twilio_needs_no_variables() -> None:
    assert "ContentVariables" not in told_to_twilio(ProviderTemplate(CONTENT))


def replace_name(template: ProviderTemplate) -> ProviderTemplate:
    return msgspec.structs.replace(template, name=CONTENT)


@pytest.mark.parametrize("name", ["order_sent", "HX123", "../Messages"])
def test_a_name_of_another_provider_never_leaves(name: str) -> None:
    with pytest.raises(PermanentFailure) as caught:
        told_to_twilio(ProviderTemplate(name))
    assert caught.value.reason is Reason.INVALID_CONTENT


@pytest.mark.parametrize("name", [CONTENT, "Order", "a b", "../x"])
def test_metas_templates_have_small_letters(name: str) -> None:
    with pytest.raises(PermanentFailure) as caught:
        told_to_meta(ProviderTemplate(name))
    assert caught.value.reason is Reason.INVALID_CONTENT


@pytest.mark.parametrize("content", [TextContent(template=FULL), TextContent("")])
def test_what_has_no_text_is_no_sms(content: TextContent) -> None:
    with pytest.raises(PermanentFailure) as caught:
        text_of(delivery_job("sms", content=content))
    assert caught.value.reason is Reason.INVALID_CONTENT
