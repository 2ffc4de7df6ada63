"""One message to many, through every process: who gets it, how far it is, and taking it back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.end_to_end.stack import Tenant, eventually

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

BULK = "/api/v1/notifications/bulk/"


def batch(tenant: Tenant, batch_id: str) -> dict[str, Any]:
    data: dict[str, Any] = tenant.call("GET", f"/api/v1/batches/{batch_id}/").json()["data"]
    return data


def test_everybody_gets_it_in_one_request(tenant: Tenant) -> None:
    tenant.make_template("news", content="Hello {{ name }}")
    users = [tenant.make_user(external_id=f"u{n}", email=f"u{n}@example.com") for n in range(5)]
    suppressed = {"channel": "email", "address": "bounced@example.com", "reason": "manual"}
    assert tenant.call("POST", "/api/v1/suppressions/", suppressed).status_code == 201
    body = {
        "notification_type": "email",
        "template_code": "news",
        "variables": {"name": "you"},
        "recipients": [
            *({"user_id": user} for user in users),
            {"user_id": "u0", "variables": {"name": "Ada"}},
            {"to": "someone@example.com"},
            {"to": "bounced@example.com"},
            {"user_id": "nobody"},
        ],
        "request_id": "news-1",
    }
    answer = tenant.call("POST", BULK, body)
    assert answer.status_code == 202, answer.text
    data = answer.json()["data"]
    assert (data["accepted"], data["rejected"], data["refused"]) == (7, 1, 1)
    assert data["refusals"][0]["error"] == "user_not_found"
    done = eventually(lambda: batch(tenant, data["batch_id"]), lambda seen: seen["state"] == "done")
    assert done["counts"] == {"delivered": 7, "rejected": 1}
    assert done["started_at"] <= done["finished_at"]
    again = tenant.call("POST", BULK, body)
    assert (again.status_code, again.json()["data"]) == (200, data)
    listed = tenant.call("GET", f"/api/v1/notifications/?batch_id={data['batch_id']}").json()
    assert listed["meta"]["total"] == 8
    assert {each["lane"] for each in listed["data"]} == {"bulk"}


def test_what_is_cancelled_in_time_is_not_sent(tenant: Tenant) -> None:
    body = {
        "notification_type": "email",
        "content": {"subject": "Later", "body": "Later"},
        "recipients": [{"to": f"u{n}@example.com"} for n in range(3)],
        "scheduled_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
    }
    batch_id = tenant.call("POST", BULK, body).json()["data"]["batch_id"]
    assert batch(tenant, batch_id)["state"] == "pending"
    answer = tenant.call("POST", f"/api/v1/batches/{batch_id}/cancel/", {}).json()["data"]
    assert (answer["state"], answer["cancelled"], answer["gone"]) == ("cancelled", 3, 0)
