"""Every message that can be declined carries the way to decline it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from carillon.contracts.messages import EmailContent
from carillon.unsubscribe_links import AddressLink, CategoryLink, ChannelLink, Link
from gateway.connections import link_signer
from gateway.notifications.models import NotificationContent
from gateway.tests.calls import Api, inline
from gateway.tests.conftest import Tenant
from gateway.tests.records import make_template, make_user, make_version

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

BOTH = "Leave: {{ unsubscribe_url }} or choose: {{ preferences_url }}"


@pytest.fixture(autouse=True)
def public(configure: Any) -> None:
    configure(public_url="https://notify.example.com")


def stored(api: Api, body: dict[str, object]) -> dict[str, Any]:
    """The content of a notification, once it is accepted."""
    answer = api.send(body)
    assert answer.status == 202, answer.body
    row = NotificationContent.objects.get(pk=answer.data["notification_id"])
    content: dict[str, Any] = row.content
    return content


def link_in(url: str) -> Link | None:
    """What the token in a URL says."""
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == ("https", "notify.example.com")
    start, token, end = parts.path[1:].split("/")
    assert (start, end) == ("u", "")
    return link_signer().read(token)


def with_template(tenant: Tenant, **fields: Any) -> str:
    """A template with both links in its text; gives its code."""
    version = make_version(content=BOTH, html_content="", **fields.pop("version", {}))
    template = make_template(languages={"en": version}, **fields)
    tenant.templates.add_template(tenant.id, template)
    return template.code


def send(tenant: Tenant, code: str, **fields: object) -> dict[str, Any]:
    user = tenant.users.add_user(tenant.id, make_user())
    body = {
        "notification_type": "email",
        "user_id": user.user_id,
        "template_code": code,
        "variables": {"name": "Ada"},
        **fields,
    }
    return stored(tenant.api, {k: v for k, v in body.items() if v is not None})


def test_a_template_has_both_links_without_declaring_them(tenant: Tenant) -> None:
    content = send(tenant, with_template(tenant, category="marketing"))
    _leave, unsubscribe, _or, _choose, preferences = content["body"].split(" ")
    assert preferences == f"{unsubscribe}#preferences"
    link = link_in(unsubscribe)
    assert isinstance(link, CategoryLink)
    assert (link.organization_id, link.category) == (tenant.id, "marketing")
    assert content["unsubscribe_url"] == unsubscribe


def test_declaring_them_is_no_duty_of_the_client(tenant: Tenant) -> None:
    declared = {"variables": ("name", "unsubscribe_url", "preferences_url")}
    content = send(tenant, with_template(tenant, version=declared))
    assert "https://notify.example.com/u/" in content["body"]


def test_a_client_with_pages_of_its_own_may_name_them(tenant: Tenant) -> None:
    variables = {
        "name": "Ada",
        "unsubscribe_url": "https://acme.example/x",
        "preferences_url": None,
    }
    content = send(tenant, with_template(tenant), variables=variables)
    assert content["body"].startswith("Leave: https://acme.example/x or choose: https://notify.")
    assert link_in(content["unsubscribe_url"]) is not None


def test_without_a_category_one_press_declines_the_channel(tenant: Tenant) -> None:
    content = send(tenant, with_template(tenant))
    link = link_in(content["unsubscribe_url"])
    assert isinstance(link, ChannelLink)
    assert link.channel == "email"


def test_the_category_of_the_request_counts_before_the_templates(tenant: Tenant) -> None:
    content = send(tenant, with_template(tenant, category="marketing"), category="tips")
    link = link_in(content["unsubscribe_url"])
    assert isinstance(link, CategoryLink)
    assert link.category == "tips"


def test_a_user_named_by_their_own_id_gets_a_link_of_ours(tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user(external_id="customer-1"))
    body = {**inline(category="news"), "user_id": "customer-1"}
    del body["to"]
    link = link_in(stored(tenant.api, body)["unsubscribe_url"])
    assert link == CategoryLink(tenant.id, user.user_id, "news")


def test_an_address_without_a_user_can_leave_too(tenant: Tenant) -> None:
    content = stored(tenant.api, inline(to="Ada@Example.com", category="news"))
    assert link_in(content["unsubscribe_url"]) == AddressLink(tenant.id, "email", "Ada@example.com")


@pytest.mark.parametrize("category", ["otp", "security", "transactional"])
def test_what_is_essential_has_no_header_and_still_a_link(tenant: Tenant, category: str) -> None:
    content = send(tenant, with_template(tenant), category=category)
    assert "unsubscribe_url" not in content
    assert "https://notify.example.com/u/" in content["body"]
    assert "unsubscribe_url" not in stored(tenant.api, inline(category=category))


def test_a_text_message_has_the_link_in_its_text_alone(tenant: Tenant) -> None:
    code = with_template(tenant, type="sms", version={"subject": ""})
    content = send(tenant, code, notification_type="sms", user_id=None, to="+447700900123")
    assert sorted(content) == ["body", "kind"]
    link = link_in(content["body"].split(" ")[1])
    assert link == AddressLink(tenant.id, "sms", "+447700900123")


def test_a_device_without_a_user_has_nobody_to_ask(tenant: Tenant) -> None:
    code = with_template(tenant, type="push", version={"subject": "Hi {{ name }}"})
    content = send(tenant, code, notification_type="push", user_id=None, to="token-1")
    assert content["body"] == "Leave:  or choose: "


def test_new_words_keep_the_way_out(tenant: Tenant) -> None:
    accepted = tenant.api.accepted(
        category="news", scheduled_at=(datetime.now(UTC) + timedelta(days=7)).isoformat()
    )
    path = f"/api/v1/notifications/{accepted['notification_id']}/"
    row = NotificationContent.objects.get(pk=accepted["notification_id"])
    before = row.content["unsubscribe_url"]
    changed = tenant.api.call("PATCH", path, {"content": {"subject": "New", "body": "New"}})
    assert changed.status == 200, changed.body
    row.refresh_from_db()
    assert row.content["subject"] == "New"
    assert row.content["unsubscribe_url"] == before


def test_the_link_is_stored_as_the_worker_will_read_it(tenant: Tenant) -> None:
    content = msgspec.convert(stored(tenant.api, inline(category="news")), EmailContent)
    assert link_in(content.unsubscribe_url) is not None
