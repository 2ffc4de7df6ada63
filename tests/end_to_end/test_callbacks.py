"""A receipt over the whole platform, from a signed callback to the status; and its absence."""

import hmac
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from carillon.testing.http_double import HTTPDouble
from sms_worker.tests.twilio import SID, TOKEN, messages
from tests.end_to_end.faults.arena import arena
from tests.end_to_end.stack import Tenant, eventually

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

PATH = "/callbacks/twilio/"


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """Of a platform whose SMS go to Twilio first, and to the console in its place."""
    folder: Path = tmp_path_factory.mktemp("callbacks")
    with (
        HTTPDouble(messages) as twilio,
        arena(
            folder,
            for_speed=True,
            SMS_PROVIDERS="twilio,console",
            TWILIO_ACCOUNT_SID=SID,
            TWILIO_AUTH_TOKEN=TOKEN,
            TWILIO_SMS_FROM="+15005550006",
            TWILIO_STATUS_CALLBACK_URL=f"https://notify.example.com{PATH}",
            TWILIO_URL=twilio.url,
        ) as ready,
    ):
        yield ready.tenant


def detail(tenant: Tenant, notification_id: str) -> dict[str, Any]:
    answer = tenant.call("GET", f"/api/v1/notifications/{notification_id}/")
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def sent(tenant: Tenant, code: str) -> dict[str, Any]:
    """Its details, as soon as Twilio has taken it."""
    notification_id = tenant.accepted("sms", tenant.make_user(), code)
    seen: dict[str, Any] = eventually(
        lambda: detail(tenant, notification_id), lambda data: bool(data["provider"])
    )
    return seen


def report(tenant: Tenant, sid: str, status: str, *, token: str = TOKEN) -> int:
    """What Twilio is answered."""
    form = {"MessageSid": sid, "MessageStatus": status}
    signed = tenant.stack.settings["PUBLIC_URL"] + PATH
    signed += "".join(f"{name}{form[name]}" for name in sorted(form))
    mac = hmac.digest(token.encode(), signed.encode(), "sha1")
    return requests.post(
        tenant.stack.url("gateway", PATH),
        data=form,
        headers={"X-Twilio-Signature": b64encode(mac).decode()},
        timeout=30,
    ).status_code


def test_a_receipt_makes_it_delivered(tenant: Tenant) -> None:
    tenant.make_template("with_receipt", "sms")
    data = sent(tenant, "with_receipt")
    assert (data["status"], data["provider"]) == ("sent", "twilio")
    sid = data["provider_message_id"]
    assert report(tenant, sid, "delivered", token="forged") == 403
    assert detail(tenant, data["notification_id"])["status"] == "sent"
    # Twice, and out of order.
    for status in ("delivered", "sent", "delivered", "failed"):
        assert report(tenant, sid, status) == 200
    assert tenant.ended(data["notification_id"])["status"] == "delivered"


def test_without_a_receipt_another_provider_sends_it_once(tenant: Tenant) -> None:
    tenant.make_template("impatient", "sms", expect_receipt_within=1)
    data = sent(tenant, "impatient")
    assert tenant.ended(data["notification_id"])["status"] == "delivered"
    attempts = detail(tenant, data["notification_id"])["attempts"]
    assert [(each["provider"], each["outcome"]) for each in attempts] == [
        ("twilio", "sent"),
        ("console", "delivered"),
    ]
    # It was late, not lost.
    assert report(tenant, attempts[0]["provider_message_id"], "delivered") == 200
    assert detail(tenant, data["notification_id"])["status"] == "delivered"
