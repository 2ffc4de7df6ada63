"""Variables are somebody else's words: they end up in headers, pages and texts as words only."""

from typing import Any

import pytest

from gateway.notifications.models import Notification, NotificationContent
from gateway.tests.conftest import Tenant
from gateway.tests.notifications.test_create import from_template
from gateway.tests.records import make_template, make_user, make_version

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

SCRIPT = "<script>alert(1)</script>"


def worded(tenant: Tenant, value: object, channel: str = "email", **version: Any) -> dict[str, Any]:
    """The stored content of a notification with this variable `name`."""
    user = tenant.users.add_user(tenant.id, make_user())
    template = make_template(type=channel, languages={"en": make_version(**version)})
    tenant.templates.add_template(tenant.id, template)
    body = from_template(user.user_id, notification_type=channel, variables={"name": value})
    assert tenant.api.send(body).status == 202
    content: dict[str, Any] = NotificationContent.objects.get().content
    return content


def test_markup_is_escaped_in_html_and_untouched_elsewhere(tenant: Tenant) -> None:
    content = worded(tenant, SCRIPT)
    assert SCRIPT not in content["html"]
    assert "&lt;script&gt;" in content["html"]
    assert content["body"] == f"Hi {SCRIPT}"
    assert content["subject"] == f"Welcome, {SCRIPT}!"


def test_markup_is_untouched_in_a_text_message(tenant: Tenant) -> None:
    assert worded(tenant, SCRIPT, "sms", subject="", html_content="")["body"] == f"Hi {SCRIPT}"


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "data:text/html,x"]
)
def test_a_link_that_runs_code_is_removed(tenant: Tenant, link: str) -> None:
    html = worded(tenant, link, html_content='<a href="{{ name }}">press</a>')["html"]
    assert "alert" not in html
    assert "data:" not in html
    assert "press" in html


@pytest.mark.parametrize(
    "value", ["x\r\nBcc: eve@example.com", "x\ny", "=?utf-8?q?x=0D=0ABcc:_a@b.co?="]
)
def test_a_variable_adds_no_header(tenant: Tenant, value: str) -> None:
    user = tenant.users.add_user(tenant.id, make_user())
    tenant.templates.add_template(tenant.id, make_template())
    answer = tenant.api.send(from_template(user.user_id, variables={"name": value}))
    assert answer.error == (400, "validation_error")
    assert not Notification.objects.exists()


@pytest.mark.parametrize("value", ["{{ 7 * 7 }}", "{% for x in range(9) %}", "${7*7}", "{#"])
def test_a_variable_is_no_template(tenant: Tenant, value: str) -> None:
    assert worded(tenant, value)["body"] == f"Hi {value}"
