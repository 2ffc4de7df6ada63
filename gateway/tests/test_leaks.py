"""Canaries in every field; afterwards no log, metric or error may hold one."""

import logging
from typing import Any

import pytest
from django.test import Client

from gateway.tests.calls import NOTIFICATIONS, STATUS, inline
from gateway.tests.conftest import Tenant
from gateway.tests.records import make_template, make_user

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

CANARY = "canary7f3a"
EMAIL = f"{CANARY}@example.com"
PHONE = "+447700900987"
TOKEN = f"token-{CANARY}-{'x' * 40}"


class Lines(logging.Handler):
    """Every record of every logger, rendered as the process would."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        (handler,) = [h for h in logging.getLogger().handlers if h.formatter is not None][:1]
        self.formatter = handler.formatter
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def lines() -> Any:
    handler = Lines()
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler.lines
    root.setLevel(level)
    root.removeHandler(handler)


def test_no_key_address_or_variable_reaches_logs_or_metrics(
    tenant: Tenant, lines: list[str]
) -> None:
    api = tenant.api
    user = make_user(email=EMAIL, phone_number=PHONE, name=CANARY)
    tenant.users.add_user(tenant.id, user)
    tenant.templates.add_template(tenant.id, make_template())
    for body in (
        inline(to=EMAIL, content={"subject": CANARY, "body": CANARY}, metadata={"x": CANARY}),
        inline(to=f"{EMAIL},{EMAIL}"),
        inline(notification_type="sms", to=PHONE, content={"body": CANARY}),
        inline(notification_type="push", to=TOKEN, content={"title": CANARY}),
        inline(request_id=EMAIL),
        inline(request_id=EMAIL, priority=9),
        {
            "notification_type": "email",
            "user_id": user.user_id,
            "template_code": "welcome_email",
            "variables": {"name": CANARY},
        },
        {"notification_type": "email", "user_id": EMAIL, "template_code": CANARY},
        f'{{"to": "{EMAIL}", "broken'.encode(),
    ):
        api.send(body, X_Correlation_ID=EMAIL)
    api.get(f"{NOTIFICATIONS}?search={EMAIL}&user_id={CANARY}")
    api.get(f"/api/v1/users/{EMAIL}/?search={EMAIL}")
    api.post("/api/v1/users/", {"email": EMAIL, "password": CANARY, "phone_number": PHONE})
    api.post(STATUS, {"notification_id": EMAIL})
    api.get(f"/api/v1/organizations/me/?api_key={api.key}")
    api.with_key(api.key[:-3] + "xyz").get("/api/v1/organizations/me/")
    tenant.users.down = tenant.templates.down = True
    api.send({"notification_type": "email", "user_id": EMAIL, "template_code": CANARY})
    api.get(f"/api/v1/users/{EMAIL}/")
    assert len(lines) >= 17
    metrics = Client().get("/metrics").content.decode()
    assert "carillon_notifications_accepted_total" in metrics
    for place in ("\n".join(lines), metrics):
        for secret in (CANARY, PHONE, TOKEN, api.key, api.key[20:], tenant.test_api.key):
            assert secret not in place


def test_a_defect_shows_no_trace_and_logs_no_locals(
    tenant: Tenant, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_fields: object) -> Any:
        raise RuntimeError(f"a defect while sending to {EMAIL}")

    monkeypatch.setattr("gateway.notifications.acceptance.compose", fail)
    answer = tenant.api.send(inline(to=EMAIL, metadata={"x": CANARY}))
    assert answer.error == (500, "internal_error")
    assert "Traceback" not in str(answer.body)
    assert "defect" not in str(answer.body)
    log = "\n".join(lines)
    assert "RuntimeError" in log
    assert CANARY not in log
