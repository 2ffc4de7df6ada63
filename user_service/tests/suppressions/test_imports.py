"""Suppressions in bulk."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from user_service.suppressions.models import Suppression
from user_service.tests.calls import Api
from user_service.tests.gateway import Gateway

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

IMPORT = "/api/v1/suppressions/import/"


def encoded(*lines: object) -> bytes:
    return b"\n".join(msgspec.json.encode(line) for line in lines)


def email(address: str, **more: str) -> dict[str, str]:
    return {"channel": "email", "address": address, **more}


def test_each_line_is_judged_on_its_own(api: Api) -> None:
    api.post("/api/v1/suppressions/", email("known@example.com", reason="complaint"))
    answer = api.lines(
        IMPORT,
        encoded(
            email("one@example.com", reason="hard_bounce"),
            email("bad"),
            email("known@example.com", reason="manual"),
            {"channel": "sms", "address": "+447700900123"},
            {"channel": "sms"},
            email("ONE@example.com"),
            email("two@example.com", source="me"),
        ),
    )
    assert answer.status == 200
    results = answer.data["results"]
    assert [result["error"] or result["outcome"] for result in results] == [
        "created",
        "validation_error",
        "updated",
        "created",
        "missing_fields",
        "updated",
        "validation_error",
    ]
    assert [answer.data[key] for key in ("created", "updated", "refused")] == [2, 2, 3]
    assert results[0]["id"] == results[5]["id"]
    stored = {s.address: (s.reason, s.source) for s in Suppression.objects.all()}
    assert stored == {
        "known@example.com": ("complaint", "api"),
        "one@example.com": ("hard_bounce", "import"),
        "+447700900123": ("manual", "import"),
    }


@pytest.mark.django_db(transaction=True)
def test_the_gateway_sees_every_line(committed_api: Api, gateway: Gateway) -> None:
    api = committed_api
    api.create(external_id="jane", email="jane@example.com")
    lines = [email("jane@example.com"), *(email(f"user{n}@example.com") for n in range(600))]
    assert api.lines(IMPORT, encoded(*lines)).data["created"] == 601
    assert gateway.user(api, "jane").suppressed == {"email": "manual"}
    for address in ("jane@example.com", "user599@example.com"):
        record = gateway.suppression(api, "email", address)
        assert record is not None
        assert record.reason == "manual"


def test_an_import_may_take_longer_than_another_request(api: Api, settings: Any) -> None:
    settings.CARILLON = replace(settings.CARILLON, database_patience=0.0)
    answer = api.lines(
        IMPORT, encoded({"channel": "email", "address": "jane@example.com", "reason": "manual"})
    )
    assert (answer.status, answer.data["created"]) == (200, 1)
