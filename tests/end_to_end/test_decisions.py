"""What an organization and its users decide holds for the very next notification."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.end_to_end.stack import Tenant

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

DEFAULTS = "/api/v1/preference-defaults/"
CATEGORIES = "/api/v1/categories/"
NOTIFICATIONS = "/api/v1/notifications/"
ALL_DAY = [{"start": "00:00", "end": "24:00"}]


def change(tenant: Tenant, method: str, path: str, body: dict[str, Any]) -> None:
    answer = tenant.call(method, path, body)
    assert answer.status_code in {200, 201}, answer.text


def outcome(tenant: Tenant, user_id: str) -> tuple[str, str | None]:
    sent = tenant.send("email", user_id, "news")
    assert sent.status_code == 202, sent.text
    data = sent.json()["data"]
    return data["status"], data.get("reason")


def test_an_organizations_decisions_hold_at_once(tenant: Tenant) -> None:
    tenant.make_template("news", category="news")
    user_id = tenant.make_user(preferences={})
    assert outcome(tenant, user_id) == ("accepted", None)
    change(tenant, "PATCH", DEFAULTS, {"preferences": {"email": False}})
    assert outcome(tenant, user_id) == ("rejected", "user_opted_out")
    change(tenant, "PATCH", f"/api/v1/users/{user_id}/", {"preferences": {"email": True}})
    assert outcome(tenant, user_id) == ("accepted", None)
    cap = {"code": "news", "frequency_cap": {"limit": 1, "seconds": 3600}}
    change(tenant, "POST", CATEGORIES, cap)
    assert outcome(tenant, user_id) == ("accepted", None)
    assert outcome(tenant, user_id) == ("rejected", "frequency_capped")
    change(tenant, "PATCH", f"{CATEGORIES}news/", {"frequency_cap": None, "essential": True})
    change(tenant, "PATCH", f"/api/v1/users/{user_id}/", {"preferences": {"email": False}})
    assert outcome(tenant, user_id) == ("accepted", None)


def test_quiet_hours_put_off_what_a_dry_run_says_they_will(tenant: Tenant) -> None:
    tenant.make_template("news", category="news")
    user_id = tenant.make_user(timezone="Asia/Kathmandu")
    here = datetime.now(UTC) + timedelta(hours=5, minutes=45)
    today, tomorrow = ((here + timedelta(days=n)).strftime("%A").lower() for n in range(2))
    hours = {today: ALL_DAY, tomorrow: [{"start": "00:00", "end": "09:00"}]}
    preferences = f"/api/v1/users/{user_id}/preferences/"
    change(tenant, "PATCH", preferences, {"quiet_hours": hours})
    planned = tenant.send("email", user_id, "news", dry_run=True)
    assert planned.status_code == 200, planned.text
    plan = planned.json()["data"]
    # Nine o'clock in Kathmandu.
    end = (here + timedelta(days=1)).replace(hour=3, minute=15, second=0, microsecond=0)
    assert datetime.fromisoformat(plan["send_at"]) == end
    assert (plan["status"], plan["reason"], plan["providers"]) == (
        "scheduled",
        "quiet_hours",
        ["smtp"],
    )
    sent = tenant.send("email", user_id, "news").json()["data"]
    assert (sent["status"], sent["reason"]) == ("scheduled", "quiet_hours")
    detail = tenant.call("GET", f"{NOTIFICATIONS}{sent['notification_id']}/").json()["data"]
    assert datetime.fromisoformat(detail["scheduled_at"]) == end
    assert detail["timeline"][0]["reason"] == "quiet_hours"
