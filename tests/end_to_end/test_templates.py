"""Layouts, MJML and test sends, from the author's call to the mailbox."""

from typing import Any

import pytest

from carillon.testing.smtp_sink import SMTPSink
from tests.end_to_end.stack import Tenant

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

LAYOUT = (
    "<mjml><mj-body><mj-section><mj-column>{% block body %}{% endblock %}"
    "<mj-text>{{ company }} <a href='{{ unsubscribe_url }}'>unsubscribe</a></mj-text>"
    "</mj-column></mj-section></mj-body></mjml>"
)
BODY = "{% extends '_layout' %}{% block body %}<mj-text>Hi {{ name }}!</mj-text>{% endblock %}"


def done(tenant: Tenant, method: str, path: str, body: object) -> dict[str, Any]:
    """The data of a call of `/api/v1/templates/`."""
    answer = tenant.call(method, f"/api/v1/templates/{path}", body)
    assert answer.status_code in {200, 201, 202}, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def test_an_author_writes_tests_and_publishes_a_layout_and_an_email(
    tenant: Tenant, mailbox: SMTPSink
) -> None:
    part: dict[str, Any] = {"subject": "", "content": "", "variables": ["company"]}
    tenant.make_template("_layout", **part, mjml=LAYOUT)
    tenant.make_template("welcome", content="", mjml=BODY, category="news", status="draft")

    # A draft goes to its author before anybody else sees it.
    author = f"author.{tenant.organization_id[-12:]}@example.com"
    data = {"name": "Ann & Bob", "company": "Acme"}
    sent = done(tenant, "POST", "welcome/test-send/", {"to": author, "data": data})
    assert tenant.ended(sent["notification_id"])["status"] == "delivered"
    (mail,) = mailbox.wait_for(author)
    assert mail["Subject"] == "Welcome, Ann & Bob!"
    html = mail.get_body(("html",))
    assert html is not None
    assert ">Hi Ann &amp; Bob!</div>" in html.get_content()
    assert tenant.send("email", tenant.make_user(), "welcome").status_code == 404

    # Published, it is what the next send says, under the name of the key that published it.
    published = done(tenant, "POST", "welcome/publish/", {})
    assert published["published_by"]["id"].startswith("key_")
    reader = f"reader.{tenant.organization_id[-12:]}@example.com"
    user_id = tenant.make_user(email=reader)
    tenant.ended(tenant.accepted("email", user_id, "welcome", variables=data))
    (mail,) = mailbox.wait_for(reader)
    text = mail.get_body(("plain",))
    assert text is not None
    assert text.get_content().startswith("Hi Ann & Bob!")

    # A new layout reaches it when its author says so.
    changed = LAYOUT.replace("{{ company }}", "From {{ company }}")
    done(tenant, "PATCH", "_layout/", {"mjml": changed})
    answer = done(tenant, "POST", "_layout/publish/", {"republish_dependents": True})
    assert [one["republished_as"] for one in answer["dependents"]] == [2]
    tenant.ended(tenant.accepted("email", user_id, "welcome", variables=data))
    _, mail = mailbox.wait_for(reader, 2)
    text = mail.get_body(("plain",))
    assert text is not None
    assert "From Acme" in text.get_content()
    assert tenant.send("email", user_id, "_layout", variables=data).status_code == 404
