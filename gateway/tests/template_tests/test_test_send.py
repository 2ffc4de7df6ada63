"""A test of a template is a real notification of what a preview shows."""

import json
from typing import Any

import pytest

from gateway.notifications.models import Notification
from gateway.tests.conftest import Tenant
from gateway.tests.doubles import Reply

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

PATH = "/api/v1/templates/welcome/test-send/"
PREVIEW: dict[str, Any] = {
    "type": "email",
    "category": "news",
    "subject": "Welcome, Ann!",
    "content": "Hi Ann",
    "html_content": "<p>Hi Ann</p>",
    "version": 3,
    "language": "pt",
    "warnings": [],
}


def previews(tenant: Tenant, **fields: Any) -> None:
    """What the template service answers."""
    body = {"success": True, "data": {**PREVIEW, **fields}, "message": "", "meta": {}}
    tenant.templates.reply = Reply(200, json.dumps(body).encode())


def test_what_a_preview_shows_is_accepted_for_the_address(tenant: Tenant) -> None:
    previews(tenant)
    body = {"to": "ann@example.com", "data": {"name": "Ann"}, "version": 3, "language": "pt"}
    answer = tenant.api.post(PATH, body)
    assert answer.status == 202
    assert answer.data["status"] == "accepted"
    (call,) = tenant.templates.calls
    assert (call.method, call.path) == ("POST", "/api/v1/templates/welcome/preview/")
    assert json.loads(call.body) == {"data": {"name": "Ann"}, "version": 3, "language": "pt"}
    assert call.headers["x-organization-id"] == tenant.id
    shown = tenant.api.get(f"/api/v1/notifications/{answer.data['notification_id']}/").data
    assert shown["metadata"] == {
        "template_test": True,
        "template_code": "welcome",
        "template_version": 3,
        "template_language": "pt",
    }
    assert (shown["notification_type"], shown["category"]) == ("email", "news")
    stored = Notification.objects.get().content.content
    words = {"subject": "Welcome, Ann!", "body": "Hi Ann", "html": "<p>Hi Ann</p>"}
    assert stored.items() >= words.items()


@pytest.mark.parametrize(
    ("channel", "to"), [("sms", "+447700900123"), ("whatsapp", "+447700900123"), ("push", "token")]
)
def test_every_channel_can_be_tested(tenant: Tenant, channel: str, to: str) -> None:
    previews(tenant, type=channel, category="", subject="", html_content="")
    assert tenant.api.post(PATH, {"to": to}).status == 202


def test_an_approved_template_of_whatsapps_is_sent_as_such(tenant: Tenant) -> None:
    filled = {"name": "order_sent", "language": "en_US", "parameters": ["Ann"]}
    words = {"subject": "", "html_content": "", "content": ""}
    previews(tenant, type="whatsapp", **words, provider_template=filled)
    assert tenant.api.post(PATH, {"to": "+447700900123"}).status == 202
    stored = Notification.objects.get().content.content
    assert stored == {"kind": "text", "template": filled}


@pytest.mark.parametrize("scopes", [("templates",), ("send",), ("read", "users")])
def test_both_scopes_are_needed(tenant: Tenant, scopes: tuple[str, ...]) -> None:
    answer = tenant.api_with(*scopes).post(PATH, {"to": "ann@example.com"})
    assert answer.error == (403, "insufficient_scope")
    assert tenant.templates.calls == []


def test_both_scopes_are_enough(tenant: Tenant) -> None:
    previews(tenant)
    api = tenant.api_with("templates", "send")
    assert api.post(PATH, {"to": "ann@example.com"}).status == 202


@pytest.mark.parametrize(
    ("status", "code", "details"),
    [
        (404, "template_not_found", {}),
        (404, "version_not_found", {}),
        (400, "missing_variables", {"name": ["This variable is required."]}),
        (400, "validation_error", {"content": ["line 1, column 4: …"]}),
    ],
)
def test_what_cannot_be_previewed_cannot_be_sent(
    tenant: Tenant, status: int, code: str, details: dict[str, list[str]]
) -> None:
    body = {"success": False, "error": code, "message": "No.", "details": details, "meta": {}}
    tenant.templates.reply = Reply(status, json.dumps(body).encode())
    answer = tenant.api.post(PATH, {"to": "ann@example.com"})
    assert answer.error == (status, code)
    assert answer.details == details
    assert not Notification.objects.exists()


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "missing_fields", "to"),
        ({"to": "ann"}, "validation_error", "to"),
        ({"to": 5}, "validation_error", "to"),
        ({"to": "a@example.com", "colour": "red"}, "validation_error", "colour"),
        ({"to": "a@example.com", "version": 0}, "validation_error", "version"),
        ({"to": "a@example.com", "data": []}, "validation_error", "data"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused(
    tenant: Tenant, body: dict[str, Any], code: str, field: str
) -> None:
    previews(tenant)
    answer = tenant.api.post(PATH, body)
    assert answer.error == (400, code)
    assert list(answer.details) == [field]
    assert not Notification.objects.exists()


def test_a_suppressed_address_gets_no_test(tenant: Tenant) -> None:
    previews(tenant)
    tenant.users.suppress(tenant.id, "email", "ann@example.com")
    answer = tenant.api.post(PATH, {"to": "ann@example.com"})
    assert (answer.status, answer.data["status"]) == (202, "rejected")
    assert answer.data["reason"] == "suppressed"


def test_without_the_template_service_nothing_is_sent(tenant: Tenant) -> None:
    tenant.templates.down = True
    answer = tenant.api.post(PATH, {"to": "ann@example.com"})
    assert answer.error == (503, "template_service_unavailable")
    tenant.templates.down = False
    tenant.templates.reply = Reply(200, b"<html>")
    answer = tenant.api.post(PATH, {"to": "ann@example.com"})
    assert answer.error == (503, "template_service_unavailable")


def test_a_code_cannot_lead_anywhere_else(tenant: Tenant) -> None:
    assert (
        tenant.api.post("/api/v1/templates/%2e%2e/test-send/", {"to": "a@b.example"}).status == 404
    )
    assert tenant.templates.calls == []
