"""What is refused, with which error, and in which order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.notifications.models import Notification
from gateway.tests.calls import Answer, inline
from gateway.tests.conftest import Tenant
from gateway.tests.notifications.test_create import from_template
from gateway.tests.records import make_template, make_user

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def refused(answer: Answer, status: int, code: str, *fields: str) -> None:
    """The error, the fields it names, and that nothing was stored."""
    assert answer.error == (status, code), answer.body
    assert not answer.body["success"]
    assert set(answer.details) == set(fields), answer.body
    assert not Notification.objects.exists()


def test_all_that_is_missing_is_named_at_once(tenant: Tenant) -> None:
    answer = tenant.api.send({})
    refused(answer, 400, "missing_fields", "notification_type", "user_id", "template_code")
    assert answer.body["message"] == "Missing: notification_type, user_id, template_code."


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"notification_type": "fax"}, "notification_type"),
        ({"notification_type": 5}, "notification_type"),
        ({"notification_type": None}, "notification_type"),
        ({"user_id": "user_1"}, "to"),
        ({"template_code": "welcome"}, "content"),
        ({"variables": {"name": "x"}}, "variables"),
        ({"priority": 0}, "priority"),
        ({"priority": 11}, "priority"),
        ({"priority": "7"}, "priority"),
        ({"priority": 7.5}, "priority"),
        ({"priority": True}, "priority"),
        ({"language": "english"}, "language"),
        ({"request_id": "x" * 129}, "request_id"),
        ({"request_id": "a\nb"}, "request_id"),
        ({"category": "Marketing"}, "category"),
        ({"category": "x" * 65}, "category"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {"a": "x" * 4096}}, "metadata"),
        ({"scheduled_at": "tomorrow"}, "scheduled_at"),
        ({"scheduled_at": "2030-01-01T00:00:00"}, "scheduled_at"),
        ({"expires_at": "2030-01-01"}, "expires_at"),
        ({"organization": "org_1"}, "organization"),
        ({"status": "delivered"}, "status"),
        ({"dry_run": "yes"}, "dry_run"),
        ({"to": ["a@example.com", "b@example.com"]}, "to"),
        ({"to": {"token": "x", "platform": "pager"}}, "to"),
        ({"content": "text"}, "content"),
    ],
)
def test_a_wrong_or_unknown_field_is_named(
    tenant: Tenant, fields: dict[str, object], named: str
) -> None:
    refused(tenant.api.send(inline(**fields)), 400, "validation_error", named)


def test_several_wrong_fields_are_named_at_once(tenant: Tenant) -> None:
    answer = tenant.api.send(inline(priority=11, surprise=1, metadata=3))
    refused(answer, 400, "validation_error", "priority", "surprise", "metadata")


@pytest.mark.parametrize(
    ("channel", "to"),
    [
        ("email", "a@x.com,b@y.com"),
        ("email", "a@x.com b@y.com"),
        ("email", "a@x.com;b@y.com"),
        ("email", "Ada <ada@example.com>"),
        ("email", "ada@example.com\r\nBcc: eve@example.com"),
        ("email", "ada@example.com\n"),
        ("email", "ada"),
        ("email", "ada@localhost"),
        ("email", ""),
        ("email", "a" * 65 + "@example.com"),
        ("email", {"token": "abc"}),
        ("sms", "ada@example.com"),
        ("sms", "12345"),
        ("sms", "+44"),
        ("sms", "+19005551234"),
        ("sms", "+979123456789"),
        ("sms", "+447700900003\r\n+447700900004"),
        ("sms", "+447700900003,+447700900004"),
        ("whatsapp", "447700900003"),
        ("push", ""),
        ("push", "two\nlines"),
        ("push", "tökén"),
    ],
)
def test_an_address_is_one_valid_address(tenant: Tenant, channel: str, to: object) -> None:
    content = {"title": "T"} if channel == "push" else {"body": "B"}
    if channel == "email":
        content["subject"] = "S"
    body = inline(notification_type=channel, to=to, content=content)
    refused(tenant.api.send(body), 400, "validation_error", "to")


@pytest.mark.parametrize(
    ("channel", "content", "code", "named"),
    [
        ("email", {"body": "B"}, "missing_fields", "content.subject"),
        ("email", {"subject": "S"}, "validation_error", "content.body"),
        ("email", {"subject": "", "body": "B"}, "validation_error", "content.subject"),
        (
            "email",
            {"subject": "S\r\nBcc: a@b.co", "body": "B"},
            "validation_error",
            "content.subject",
        ),
        (
            "email",
            {"subject": "=?utf-8?q?x=0D=0ABcc:_a@b.co?=", "body": "B"},
            "validation_error",
            "content.subject",
        ),
        ("email", {"subject": "S\x00", "body": "B"}, "invalid_json", None),
        ("email", {"subject": "S" * 999, "body": "B"}, "validation_error", "content.subject"),
        ("email", {"subject": "S", "body": "B", "from": "x"}, "validation_error", "content.from"),
        ("sms", {}, "missing_fields", "content.body"),
        ("sms", {"body": "x" * 1601}, "validation_error", "content.body"),
        ("sms", {"body": "B", "subject": "S"}, "validation_error", "content.subject"),
        ("push", {"body": "B"}, "missing_fields", "content.title"),
        (
            "push",
            {"title": "T", "action_url": "javascript:alert(1)"},
            "validation_error",
            "content.action_url",
        ),
        ("push", {"title": "T", "image": "picture"}, "validation_error", "content.image"),
        ("push", {"title": "T", "body": "é" * 2100}, "validation_error", "content.body"),
        ("push", {"title": "T", "data": {"n": 1}}, "validation_error", "content.data"),
        ("push", {"title": "T", "badge": -1}, "validation_error", "content.badge"),
        ("push", {"title": "T", "ttl": -1}, "validation_error", "content.ttl"),
        ("push", {"title": "T", "priority": "urgent"}, "validation_error", "content.priority"),
        (
            "push",
            {"title": "T", "collapse_key": "k" * 65},
            "validation_error",
            "content.collapse_key",
        ),
        ("sms", {"template": {"name": "x"}}, "missing_fields", "content.body"),
        ("whatsapp", {}, "validation_error", "content.body"),
        ("whatsapp", {"body": "B", "template": {"name": "x"}}, "validation_error", "content.body"),
        ("whatsapp", {"template": {}}, "validation_error", "content.template"),
        ("whatsapp", {"template": {"name": "a/b"}}, "validation_error", "content.template"),
        (
            "whatsapp",
            {"template": {"name": "x", "parameters": [""]}},
            "validation_error",
            "content.template",
        ),
        (
            "whatsapp",
            {"template": {"name": "x", "buttons": {"first": "a"}}},
            "validation_error",
            "content.template",
        ),
    ],
)
def test_inline_content_has_its_channels_shape(
    tenant: Tenant, channel: str, content: object, code: str, named: str | None
) -> None:
    to = {
        "email": "ada@example.com",
        "sms": "+447700900003",
        "whatsapp": "+447700900003",
        "push": "tok",
    }[channel]
    answer = tenant.api.send(inline(notification_type=channel, to=to, content=content))
    refused(answer, 400, code, *((named,) if named else ()))


@pytest.mark.parametrize(
    ("scheduled", "expires", "named"),
    [
        (timedelta(minutes=-5), None, "scheduled_at"),
        (timedelta(days=400), None, "scheduled_at"),
        (None, timedelta(seconds=-1), "expires_at"),
        (timedelta(hours=2), timedelta(hours=1), "expires_at"),
    ],
)
def test_times_that_make_no_sense_are_refused(
    tenant: Tenant, scheduled: timedelta | None, expires: timedelta | None, named: str
) -> None:
    now = datetime.now(UTC)
    times = {"scheduled_at": scheduled, "expires_at": expires}
    given = {name: (now + delta).isoformat() for name, delta in times.items() if delta}
    refused(tenant.api.send(inline(**given)), 400, "validation_error", named)


def test_an_unknown_template_is_404(tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user())
    refused(tenant.api.send(from_template(user.user_id)), 404, "template_not_found")


def test_a_template_for_another_channel_is_400(tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user())
    tenant.templates.add_template(tenant.id, make_template(type="sms"))
    refused(tenant.api.send(from_template(user.user_id)), 400, "template_type_mismatch")


def test_missing_variables_are_named(tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user())
    tenant.templates.add_template(tenant.id, make_template())
    answer = tenant.api.send(from_template(user.user_id, variables={"nome": "x"}))
    refused(answer, 400, "missing_variables", "name")
    assert "name" in answer.body["message"]


def test_an_unknown_user_is_404(tenant: Tenant) -> None:
    tenant.templates.add_template(tenant.id, make_template())
    for user_id in ("nobody", "../../internal", "a/b?c#d", "ü" * 100, "%2e%2e"):
        refused(tenant.api.send(from_template(user_id)), 404, "user_not_found")


@pytest.mark.parametrize(
    ("channel", "missing"),
    [("email", {"email": ""}), ("sms", {"phone_number": ""}), ("push", {"devices": ()})],
)
def test_a_user_without_the_channels_address_is_400(
    tenant: Tenant, channel: str, missing: dict[str, Any]
) -> None:
    user = tenant.users.add_user(tenant.id, make_user(**missing))
    tenant.templates.add_template(tenant.id, make_template(type=channel))
    answer = tenant.api.send(from_template(user.user_id, notification_type=channel))
    refused(answer, 400, "no_address")


def test_another_organizations_user_and_template_do_not_exist(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    user = other_tenant.users.add_user(other_tenant.id, make_user())
    other_tenant.templates.add_template(other_tenant.id, make_template())
    refused(tenant.api.send(from_template(user.user_id)), 404, "template_not_found")
    tenant.templates.add_template(tenant.id, make_template())
    refused(tenant.api.send(from_template(user.user_id)), 404, "user_not_found")


def test_a_service_that_is_down_is_named_and_nothing_is_stored(tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user())
    tenant.templates.add_template(tenant.id, make_template())
    tenant.users.down = True
    answer = tenant.api.send(from_template(user.user_id))
    refused(answer, 503, "user_service_unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    tenant.templates.down = True
    tenant.users.down = False
    answer = tenant.api.send(from_template(user.user_id, template_code="other"))
    refused(answer, 503, "template_service_unavailable")


def test_the_order_of_refusals_is_designs(tenant: Tenant) -> None:
    """Each request is wrong in all the ways that follow, too."""
    users, templates = tenant.users, tenant.templates
    wrong: dict[str, Any] = {
        "notification_type": "email",
        "user_id": "nobody",
        "template_code": "welcome_email",
        "variables": {},
    }
    refused(tenant.api.send(b"{"), 400, "invalid_json")
    refused(
        tenant.api.send({"priority": 99}),
        400,
        "missing_fields",
        "notification_type",
        "user_id",
        "template_code",
    )
    refused(tenant.api.send({**wrong, "priority": 99}), 400, "validation_error", "priority")
    refused(tenant.api.send(wrong), 404, "template_not_found")
    templates.add_template(tenant.id, make_template(type="sms"))
    refused(tenant.api.send(wrong), 400, "template_type_mismatch")
    templates.add_template(tenant.id, make_template(revision=2))
    tenant.templates.calls.clear()
    wrong["template_code"] = "other"
    templates.add_template(tenant.id, make_template("other"))
    refused(tenant.api.send(wrong), 400, "missing_variables", "name")
    wrong["variables"] = {"name": "x"}
    refused(tenant.api.send(wrong), 404, "user_not_found")
    user = users.add_user(tenant.id, make_user(email=""))
    wrong["user_id"] = user.user_id
    refused(tenant.api.send(wrong), 400, "no_address")
