"""A press in a mail, and a mail that came back: the very next notification heeds them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
import requests

from carillon.testing.smtp_sink import SMTPSink
from tests.end_to_end.stack import Tenant, eventually

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def refusing(mailbox: SMTPSink) -> Iterator[SMTPSink]:
    """A mail server that knows nobody."""
    mailbox.answer = "550 5.1.1 no such user"
    yield mailbox
    mailbox.answer = "250 OK"


def address_of(tenant: Tenant, user_id: str) -> str:
    email: str = tenant.call("GET", f"/api/v1/users/{user_id}/").json()["data"]["email"]
    return email


def link_in(mail: EmailMessage) -> str:
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return str(mail["List-Unsubscribe"]).strip("<>")


def test_one_press_stops_the_category_and_nothing_else(tenant: Tenant, mailbox: SMTPSink) -> None:
    tenant.make_template("news", category="news", content="Hi {{ name }}: {{ unsubscribe_url }}")
    user_id = tenant.make_user(language="de")
    tenant.accepted("email", user_id, "news")
    (mail,) = mailbox.wait_for(address_of(tenant, user_id))
    url = link_in(mail)
    assert url in mail.get_content().replace("=\n", "")

    page = requests.get(url, timeout=60)
    assert page.status_code == 200
    assert '<html lang="de">' in page.text
    assert tenant.status(tenant.accepted("email", user_id, "news"))["status"] != "rejected"

    pressed = requests.post(url, data=ONE_CLICK, allow_redirects=False, timeout=60)
    assert pressed.status_code == 200
    assert not pressed.cookies
    refused = tenant.send("email", user_id, "news").json()["data"]
    status = tenant.status(refused["notification_id"])
    assert (status["status"], status["reason"]) == ("rejected", "user_opted_out")
    other = tenant.accepted("email", user_id, "news", category="security")
    assert tenant.ended(other)["status"] == "delivered"
    history = tenant.call("GET", f"/api/v1/users/{user_id}/preferences/history/").json()["data"]
    assert [change["source"] for change in history][:1] == ["unsubscribe_link"]

    requests.post(url, data={"action": "return"}, timeout=60)
    assert tenant.ended(tenant.accepted("email", user_id, "news"))["status"] == "delivered"


def test_an_address_without_a_user_leaves_too(tenant: Tenant, mailbox: SMTPSink) -> None:
    body = {
        "notification_type": "email",
        "to": f"direct.{tenant.organization_id[-12:]}@example.com",
        "content": {"subject": "News", "body": "Hello"},
        "category": "news",
    }
    first = tenant.call("POST", "/api/v1/notifications/", body)
    assert first.status_code == 202, first.text
    (mail,) = mailbox.wait_for(str(body["to"]))
    assert requests.post(link_in(mail), data=ONE_CLICK, timeout=60).status_code == 200
    second = tenant.call("POST", "/api/v1/notifications/", body).json()["data"]
    status = tenant.status(second["notification_id"])
    assert (status["status"], status["reason"]) == ("rejected", "suppressed")


def test_a_tampered_link_is_404(tenant: Tenant, mailbox: SMTPSink) -> None:
    tenant.make_template("news", category="news")
    user_id = tenant.make_user()
    tenant.accepted("email", user_id, "news")
    (mail,) = mailbox.wait_for(address_of(tenant, user_id))
    url = link_in(mail)
    tampered = url[:-3] + ("A" if url[-3] != "A" else "B") + url[-2:]
    assert requests.get(tampered, timeout=60).status_code == 404
    assert requests.post(tampered, data=ONE_CLICK, timeout=60).status_code == 404
    assert tenant.ended(tenant.accepted("email", user_id, "news"))["status"] == "delivered"


def test_a_mail_that_came_back_is_the_last_to_its_address(
    tenant: Tenant, refusing: SMTPSink
) -> None:
    tenant.make_template("news")
    user_id = tenant.make_user()
    assert tenant.ended(tenant.accepted("email", user_id, "news"))["status"] == "bounced"
    (suppression,) = eventually(
        lambda: tenant.call("GET", "/api/v1/suppressions/").json()["data"], bool
    )
    assert suppression["address"] == address_of(tenant, user_id)
    assert (suppression["reason"], suppression["source"]) == ("hard_bounce", "smtp")
    refused = tenant.send("email", user_id, "news").json()["data"]
    status = tenant.status(refused["notification_id"])
    assert (status["status"], status["reason"]) == ("rejected", "suppressed")


def test_who_is_erased_is_erased_everywhere(tenant: Tenant, mailbox: SMTPSink) -> None:
    tenant.make_template("news", category="news")
    user_id = tenant.make_user()
    sent = tenant.accepted("email", user_id, "news")
    (mail,) = mailbox.wait_for(address_of(tenant, user_id))
    assert tenant.ended(sent)["status"] == "delivered"
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    waiting = tenant.accepted("email", user_id, "news", scheduled_at=later)
    assert tenant.call("DELETE", f"/api/v1/users/{user_id}/").status_code == 200
    assert tenant.ended(waiting)["status"] == "cancelled"
    page = requests.get(link_in(mail), headers={"Accept-Language": "en"}, timeout=60)
    assert page.status_code == 200
    assert "You are not on the list" in page.text
    for notification_id in (sent, waiting):
        shown = tenant.call("GET", f"/api/v1/notifications/{notification_id}/").text
        assert str(mail["To"]) not in shown
