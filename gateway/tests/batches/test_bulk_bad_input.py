"""Bulk requests that are wrong as a whole: each gets one answer, and nothing is stored."""

import json
from typing import Any

import pytest

from carillon.contracts.messages import Mode
from gateway.batches.models import Batch
from gateway.notifications.models import Notification
from gateway.tests.batches.requests import BULK, inline, send, templated, to
from gateway.tests.conftest import Tenant
from gateway.tests.records import make_user

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in inline(*to("a")).items() if key != name}


@pytest.mark.parametrize(
    ("body", "code", "fields"),
    [
        (without("recipients"), "missing_fields", {"recipients"}),
        (without("notification_type"), "missing_fields", {"notification_type"}),
        (without("content"), "missing_fields", {"template_code"}),
        ({}, "missing_fields", {"notification_type", "recipients", "template_code"}),
        (inline(), "validation_error", {"recipients"}),
        (inline(*({} for _ in range(10_001))), "validation_error", {"recipients"}),
        ({**inline(), "recipients": {"to": "a@b.de"}}, "validation_error", {"recipients"}),
        ({**inline(), "recipients": None}, "validation_error", {"recipients"}),
        (inline(*to("a"), notification_type="fax"), "validation_error", {"notification_type"}),
        (inline(*to("a"), priority=11), "validation_error", {"priority"}),
        (inline(*to("a"), priority="high"), "validation_error", {"priority"}),
        (inline(*to("a"), category="Big News"), "validation_error", {"category"}),
        (inline(*to("a"), language="?"), "validation_error", {"language"}),
        (inline(*to("a"), metadata={"x": "y" * 4_096}), "validation_error", {"metadata"}),
        (inline(*to("a"), template_code="x"), "validation_error", {"content"}),
        (inline(*to("a"), variables={"x": 1}), "validation_error", {"variables"}),
        (inline(*to("a"), content={"subject": "x"}), "validation_error", {"content.body"}),
        (inline(*to("a"), request_id="x" * 129), "validation_error", {"request_id"}),
        (inline(*to("a"), organization="org_x"), "validation_error", {"organization"}),
        (inline(*to("a"), user_id="u"), "validation_error", {"user_id"}),
        (
            inline(*to("a"), scheduled_at="2030-01-01T00:00:00"),
            "validation_error",
            {"scheduled_at"},
        ),
        (templated(*to("a"), variables=["x"]), "validation_error", {"variables"}),
    ],
)
def test_every_mistake_is_named(tenant: Tenant, body: Any, code: str, fields: set[str]) -> None:
    answer = send(tenant, body)
    assert answer.error == (400, code)
    assert set(answer.details) == fields
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"recipients": [',
        b'{"recipients": [{"to": "a@b.de", "to": "c@d.de"}]}',
        b'{"recipients": [{"variables": {"x": NaN}}]}',
        b'{"recipients": [{"variables": {"x": "\\u0000"}}]}',
        b'{"recipients": [{"variables": {"x": "\\ud800"}}]}',
        b'{"recipients": [{"variables": {"x": 1e999}}]}',
        b'{"recipients": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"\xff",
    ],
)
def test_what_is_no_json_of_ours_is_400(tenant: Tenant, raw: bytes) -> None:
    assert send(tenant, raw).error == (400, "invalid_json")


def test_a_body_of_four_kilobytes_for_each_is_read(tenant: Tenant) -> None:
    """More than Django takes of a form."""
    variables = {"pad": "x" * 4_096}
    body = inline(*({"user_id": "nobody", "variables": variables} for _ in range(1_000)))
    assert len(json.dumps(body)) > 4_000_000
    assert send(tenant, body).error == (400, "all_recipients_refused")


def test_a_body_over_the_limit_is_413(tenant: Tenant, configure: Any) -> None:
    configure(bulk_body_limit=1_000)
    assert send(tenant, inline(*to("a"))).status == 202
    assert send(tenant, inline(*to("a" * 1_000))).error == (413, "payload_too_large")
    assert send(tenant, b"x" * 1_001).error == (413, "payload_too_large")


def test_it_needs_a_key_that_may_send(tenant: Tenant) -> None:
    body = inline(*to("a"))
    assert tenant.api.with_key("").post(BULK, body).error == (401, "authentication_required")
    assert tenant.api.with_key("org_live_x").post(BULK, body).error == (401, "invalid_api_key")
    for scope in ("read", "users", "templates"):
        assert tenant.api_with(scope).post(BULK, body).error == (403, "insufficient_scope")
    assert tenant.api_with("send").post(BULK, body).status == 202


def test_anothers_user_is_nobody(tenant: Tenant, other_tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user(external_id="u"))
    body = inline({"user_id": "u"}, {"user_id": user.user_id})
    assert send(tenant, body).status == 202
    assert send(other_tenant, body).error == (400, "all_recipients_refused")


def test_a_test_keys_notifications_are_test_ones(tenant: Tenant) -> None:
    assert tenant.test_api.post(BULK, inline(*to("a"))).status == 202
    assert Notification.objects.get().mode == Mode.TEST
    assert Batch.objects.get().mode == Mode.TEST


def test_only_post(tenant: Tenant) -> None:
    assert tenant.api.get(BULK).error == (405, "method_not_allowed")
