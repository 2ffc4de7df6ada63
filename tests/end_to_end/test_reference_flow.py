"""The flow of the reference, call by call, as its document prints it."""

import pytest
import requests

from carillon.testing.smtp_sink import SMTPSink
from tests.end_to_end.stack import Stack, eventually, printed_after

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

META = {
    "total": 1,
    "limit": 1,
    "page": 1,
    "total_pages": 1,
    "has_next": False,
    "has_previous": False,
}


def test_the_reference_flow(stack: Stack, mailbox: SMTPSink) -> None:
    # 1. Create an organization.
    printed = stack.create_org("TestOrgFinalComprehensive", "--plan", "pro", "--quota", "50000")
    organization_id = printed_after("Organization ID", printed)
    key = printed_after("API key", printed)
    assert organization_id.startswith("org_")
    assert key.startswith("org_live_")

    # 2. Create a user, through the gateway.
    user = requests.post(
        stack.url("gateway", "/api/v1/users/"),
        json={
            "email": "fresh_test_user@example.com",
            "name": "Fresh Test User",
            "password": "securepassword123",
            "push_token": "token_fresh_test",
            "preferences": {"email": True, "push": False},
        },
        headers={"X-API-Key": key, "X-Organization-ID": organization_id},
        timeout=60,
    )
    assert user.status_code == 201, user.text
    assert user.json()["success"] is True
    assert "password" not in user.text
    user_id = user.json()["data"]["user_id"]

    # 3. Create a template, at the template service.
    template = requests.post(
        stack.url("template_service", "/api/v1/templates/"),
        json={
            "code": "welcome_email_comp",
            "name": "Welcome Email Comprehensive",
            "description": "Welcome template for users in TestOrgFinalComprehensive",
            "type": "email",
            "subject": "Welcome, {{ name }}!",
            "content": "Hi {{ name }},\n\nThanks for joining TestOrgFinalComprehensive!\n\n"
            "Best regards,\nThe Team",
            "html_content": "<html><body><p>Hi {{ name }},</p><p>Thanks for joining "
            "<strong>TestOrgFinalComprehensive</strong>!</p><p>Best regards,<br>The Team</p>"
            "</body></html>",
            "language": "en",
            "status": "active",
            "variables": ["name"],
            "optional_variables": [],
        },
        headers={"X-Internal-Secret": stack.secret, "X-Organization-ID": organization_id},
        timeout=60,
    )
    assert template.status_code == 201, template.text
    assert template.json()["data"]["status"] == "active"

    # 4. Send a notification.
    sent = requests.post(
        stack.url("gateway", "/api/v1/notifications/"),
        json={
            "notification_type": "email",
            "user_id": user_id,
            "template_code": "welcome_email_comp",
            "variables": {"name": "Comprehensive Test Recipient"},
            "request_id": "req_test_comp_flow_manual_step4",
            "priority": 7,
        },
        headers={"X-API-Key": key},
        timeout=60,
    )
    assert sent.status_code == 202, sent.text
    body = sent.json()
    notification_id = body["data"].pop("notification_id")
    assert notification_id.startswith("notif_")
    assert body == {
        "success": True,
        "data": {
            "status": "accepted",
            "request_id": "req_test_comp_flow_manual_step4",
            "correlation_id": sent.headers["X-Correlation-ID"],
        },
        "message": "Notification accepted for processing",
        "meta": META,
    }

    # 5. Check its status until it is delivered.
    def status() -> dict[str, object]:
        answer = requests.post(
            stack.url("gateway", "/api/v1/notifications/status/"),
            json={"notification_id": notification_id},
            headers={"X-API-Key": key},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["message"] == "Notification status retrieved"
        assert answer.json()["meta"] == META
        data: dict[str, object] = answer.json()["data"]
        return data

    data = eventually(status, lambda seen: seen["status"] == "delivered")
    assert data["notification_id"] == notification_id
    assert data["notification_type"] == "email"
    assert data["template_code"] == "welcome_email_comp"
    assert data["created_at"] <= data["delivered_at"] <= data["updated_at"]

    # And the mail is in the mailbox, both bodies rendered, with the correlation id.
    (mail,) = mailbox.wait_for("fresh_test_user@example.com")
    assert mail["Subject"] == "Welcome, Comprehensive Test Recipient!"
    assert mail["X-Correlation-ID"] == sent.headers["X-Correlation-ID"]
    text = mail.get_body(("plain",))
    html = mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Hi Comprehensive Test Recipient,\n\nThanks for joining" in text.get_content().replace(
        "\r\n", "\n"
    )
    assert "<strong>TestOrgFinalComprehensive</strong>" in html.get_content()


def test_users_through_the_gateway(stack: Stack) -> None:
    tenant = stack.new_tenant()
    user_id = tenant.make_user(name="Mock Test User", preferences={"email": True, "push": False})
    path = f"/api/v1/users/{user_id}/"

    assert tenant.call("GET", path).json()["data"]["name"] == "Mock Test User"
    preferences = tenant.call("GET", f"{path}preferences/").json()["data"]["preferences"]
    assert preferences["email"] is True
    assert preferences["push"] is False

    change = {"name": "Updated Mock User Name", "push_token": "token_updated_mock_user"}
    changed = tenant.call("PATCH", path, change)
    assert changed.status_code == 200
    assert changed.json()["data"]["name"] == "Updated Mock User Name"

    body = {"preferences": {"email": False, "push": True}}
    assert tenant.call("PATCH", f"{path}preferences/", body).status_code == 200
    after = tenant.call("GET", f"{path}preferences/").json()["data"]["preferences"]
    assert (after["email"], after["push"]) == (False, True)


def test_templates_through_the_gateway_and_directly_are_the_same(stack: Stack) -> None:
    tenant = stack.new_tenant()
    tenant.make_template("welcome_email_direct")
    through = tenant.call("GET", "/api/v1/templates/welcome_email_direct/").json()["data"]
    direct = requests.get(
        stack.url("template_service", "/api/v1/templates/welcome_email_direct/"),
        headers={"X-Internal-Secret": stack.secret, "X-Organization-ID": tenant.organization_id},
        timeout=60,
    ).json()["data"]
    assert through == direct
    assert through["code"] == "welcome_email_direct"
