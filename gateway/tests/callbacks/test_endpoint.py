"""What a provider is answered: 200 for what is kept, and nothing is applied or lost before."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from gateway.callbacks import endpoint
from gateway.callbacks.config import CallbackSettings
from gateway.callbacks.metrics import CALLBACKS, RECEIVED
from gateway.callbacks.models import CallbackEvent
from gateway.tests.callbacks import signing
from gateway.tests.callbacks.conftest import Send
from gateway.tests.callbacks.signing import SETTINGS, SIGNERS

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def counted(counter: Any, *labels: str) -> float:
    return float(counter.labels(*labels)._value.get())


def test_what_is_repeated_is_kept_once(send: Send) -> None:
    before = counted(RECEIVED, "twilio", "repeated")
    signed = SIGNERS["twilio"]()
    assert [send(signed), send(signed)] == [200, 200]
    assert CallbackEvent.objects.count() == 1
    assert counted(RECEIVED, "twilio", "repeated") - before == 1


@pytest.mark.parametrize("name", SIGNERS)
def test_every_providers_repetition_is_known(name: str, send: Send) -> None:
    """Signed anew, as some do it, or word for word."""
    again = SIGNERS[name]()
    assert [send(SIGNERS[name]()), send(again), send(again)] == [200, 200, 200]
    assert CallbackEvent.objects.count() == 1


def test_one_callback_may_repeat_itself(send: Send) -> None:
    event = {"event": "open", "sg_message_id": "a", "sg_event_id": "1"}
    assert send(signing.sendgrid(event, event, {**event, "sg_event_id": "2"})) == 200
    assert CallbackEvent.objects.count() == 2


def test_what_says_nothing_of_a_delivery_is_acknowledged(send: Send) -> None:
    assert send(signing.twilio(MessageSid="SM1", MessageStatus="queued")) == 200
    assert send(signing.meta()) == 200
    assert CallbackEvent.objects.count() == 0


@pytest.mark.parametrize("name", [*SIGNERS, "smtp", "nobody"])
def test_who_is_not_configured_is_not_found(name: str, configure: Any) -> None:
    configure(callbacks=CallbackSettings())
    assert Client().post(f"/callbacks/{name}/", {}).status_code == 404
    assert Client().get(f"/callbacks/{name}/").status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods(method: str, send: Send) -> None:
    assert Client().generic(method, "/callbacks/twilio/").status_code == 405


def test_what_is_signed_but_unreadable_is_a_400(send: Send) -> None:
    before = counted(CALLBACKS, "twilio", "platform", "unreadable")
    assert send(signing.twilio(Something="else")) == 400
    assert counted(CALLBACKS, "twilio", "platform", "unreadable") - before == 1


def test_a_body_has_its_bound(send: Send, configure: Any) -> None:
    signed = SIGNERS["twilio"]()
    assert send(signed, headers={**signed.headers, "Transfer-Encoding": "chunked"}) == 413
    settings = CallbackSettings(twilio_auth_token=SETTINGS.twilio_auth_token, body_limit=10)
    configure(callbacks=settings, public_url=signing.PUBLIC)
    assert send(signed) == 413
    assert CallbackEvent.objects.count() == 0


def test_what_cannot_be_kept_is_not_acknowledged(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_options: object) -> int:
        raise OperationalError("the database is away")

    monkeypatch.setattr(endpoint, "keep_events", fail)
    assert send(SIGNERS["twilio"]()) == 503


def test_no_text_of_a_provider_breaks_the_column(send: Send) -> None:
    event = {
        "event": "bounce",
        "sg_message_id": "\x00" + "m" * 300,
        "status": "5" * 99,
        "reason": "\x00x" * 9_999,
        "timestamp": 99_999_999_999,
        "sg_event_id": "\ud800",
    }
    assert send(signing.sendgrid(event)) in {200, 400}
    assert send(signing.sendgrid({**event, "sg_event_id": "1"})) == 200
    kept = CallbackEvent.objects.get()
    assert "\x00" not in kept.message + kept.provider_message_id
    assert kept.occurred_at <= kept.received_at


def test_the_path_of_twilio_is_part_of_its_signature(send: Send) -> None:
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    assert send(signing.twilio("/callbacks/twilio/?via=eu", **fields)) == 200
    elsewhere = signing.twilio("/callbacks/elsewhere/", **fields)
    assert send(elsewhere, path="/callbacks/twilio/") == 403
