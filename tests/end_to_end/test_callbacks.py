"""A receipt over the whole platform, from a signed callback to the status; and its absence."""

import hmac
from base64 import b64encode
from typing import Any

import pytest
import requests

from sms_worker.tests.twilio import SID, TOKEN
from tests.end_to_end.providers import CALLBACKS, World
from tests.end_to_end.stack import Tenant, eventually

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]


@pytest.fixture
def tenant(world: World) -> Tenant:
    """Of the platform whose SMS go to Twilio first."""
    return world.tenant


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


def report(
    tenant: Tenant, sid: str, status: str, *, token: str = TOKEN, path: str = CALLBACKS
) -> int:
    """What Twilio is answered."""
    form = {"MessageSid": sid, "MessageStatus": status}
    signed = tenant.stack.settings["PUBLIC_URL"] + path
    signed += "".join(f"{name}{form[name]}" for name in sorted(form))
    mac = hmac.digest(token.encode(), signed.encode(), "sha1")
    return requests.post(
        tenant.stack.url("gateway", path),
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


def test_an_organizations_own_account_reports_about_its_messages_alone(
    tenant: Tenant, world: World
) -> None:
    # Nobody has sent for them yet: workers remember for a minute that there is no account.
    ours, theirs = tenant.stack.new_tenant(), tenant.stack.new_tenant()
    urls = [bring_account(each) for each in (ours, theirs)]
    ours.make_template("own", "sms")
    data = sent(ours, "own")
    assert (data["status"], data["provider"]) == ("sent", "twilio")
    # The worker told Twilio where to report to.
    assert world.twilio.requests[-1].form["StatusCallback"] == urls[0]
    public, sid = tenant.stack.settings["PUBLIC_URL"], data["provider_message_id"]
    our_path, their_path = (url.removeprefix(public) for url in urls)
    assert report(ours, sid, "delivered", path=our_path, token="forged") == 403
    # Signed with their own token, and about our message: it is taken, and finds nothing.
    assert report(theirs, sid, "failed", path=their_path) == 200
    assert report(ours, sid, "delivered", path=our_path) == 200
    assert ours.ended(data["notification_id"])["status"] == "delivered"


def bring_account(tenant: Tenant) -> str:
    """An account with Twilio whose receipts come; where they are to come to."""
    account = {
        "channel": "sms",
        "provider": "twilio",
        "name": "Ours",
        "sender": "+15005550006",
        "credentials": {"account_sid": SID, "auth_token": TOKEN},
    }
    made = tenant.call("POST", "/api/v1/provider-accounts/", account)
    assert made.status_code == 201, made.text
    path = f"/api/v1/provider-accounts/{made.json()['data']['provider_account_id']}/"
    set_ = tenant.call("PUT", f"{path}callbacks/", {"secrets": {}, "receipts": True})
    assert set_.status_code == 200, set_.text
    url = str(set_.json()["data"]["callback_url"])
    assert tenant.call("GET", path).json()["data"]["callback_url"] == url
    return url
