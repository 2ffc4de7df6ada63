"""A bulk request that is repeated: it is accepted once, however often and whenever it comes."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from gateway.batches.models import Batch
from gateway.batches.services import acceptance, intake
from gateway.connections import redis_client
from gateway.notifications.models import Notification
from gateway.outbox.models import OutboxMessage
from gateway.tests.batches.requests import BULK, accepted, inline, refusals, send, to
from gateway.tests.calls import Answer
from gateway.tests.conftest import Tenant, forget_connections
from gateway.tests.records import make_user
from gateway.tests.threads import at_once

pytestmark = [pytest.mark.integration]

UNREACHABLE = "redis://127.0.0.1:1/0"


@pytest.mark.django_db
def test_a_repeat_is_answered_as_the_first_refusals_and_all(tenant: Tenant) -> None:
    body = inline(*to("a"), {"user_id": "late"}, request_id="r")
    first = send(tenant, body)
    # Whatever has changed since: the first answer stands.
    tenant.users.add_user(tenant.id, make_user(external_id="late"))
    tenant.users.down = True
    again = send(tenant, dict(reversed(body.items())))
    assert (first.status, again.status) == (202, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.data == first.data
    assert Notification.objects.count() == Batch.objects.count() == 1


@pytest.mark.django_db
def test_the_header_is_the_same(tenant: Tenant) -> None:
    body = inline(*to("a"))
    first = send(tenant, body, Idempotency_Key='"r"')
    assert first.data["request_id"] == "r"
    assert send(tenant, {**body, "request_id": "r"}).status == 200
    answer = send(tenant, {**body, "request_id": "other"}, Idempotency_Key="r")
    assert answer.error == (400, "validation_error")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        {"recipients": to("b")},
        {"recipients": [*to("a"), *to("a")]},
        {"content": {"subject": "Hello", "body": "Hello, others"}},
        {"category": "news"},
    ],
)
def test_another_body_is_422(tenant: Tenant, change: dict[str, Any]) -> None:
    body = inline(*to("a"), request_id="r")
    accepted(tenant, body)
    assert send(tenant, {**body, **change}).error == (422, "request_id_conflict")


@pytest.mark.django_db
def test_live_and_test_and_organizations_are_apart(tenant: Tenant, other_tenant: Tenant) -> None:
    body = inline(*to("a"), request_id="r")
    accepted(tenant, body)
    assert tenant.test_api.post(BULK, body).error == (422, "request_id_conflict")
    assert send(other_tenant, body).status == 202


@pytest.mark.django_db
def test_without_a_request_id_it_is_a_new_one(tenant: Tenant) -> None:
    data = [accepted(tenant, inline(*to("a"))) for _ in range(2)]
    assert len({each["batch_id"] for each in data}) == 2
    assert len({each["request_id"] for each in data}) == 2


@pytest.mark.django_db
def test_the_first_is_still_in_flight(tenant: Tenant) -> None:
    """Its marker is there, its batch is not: 409 until one of them changes."""
    body = inline(*to("a"), request_id="r")
    accepted(tenant, {**body, "request_id": "other"})
    marker = "carillon:bulk_request:" + tenant.id + ":454349e422f05297191ead13e21d3db5"
    redis_client().set(marker, 1, ex=60)
    answer = send(tenant, body)
    assert answer.error == (409, "request_in_progress")
    assert answer.headers["Retry-After"] == "1"
    redis_client().delete(marker)
    assert send(tenant, body).status == 202
    # A replay does not wait for anybody.
    redis_client().set(marker, 1, ex=60)
    assert send(tenant, body).status == 200


@pytest.mark.django_db
def test_a_crash_between_the_commit_and_the_answer_is_replayed(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = inline(*to("a", "b"), request_id="r")
    with monkeypatch.context() as crash:
        crash.setattr(acceptance, "_tell", lambda *_: 1 / 0)
        assert send(tenant, body).status == 500
    answer = send(tenant, body)
    assert (answer.status, answer.data["accepted"]) == (200, 2)
    assert Notification.objects.count() == 2


def test_a_crash_before_the_commit_leaves_nothing(
    committed_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = inline(*to("a", "b"), request_id="r")
    with monkeypatch.context() as crash:
        crash.setattr(intake.Intake, "_conclude", lambda *_: 1 / 0)
        assert send(committed_tenant, body).status == 500
    assert not Batch.objects.exists()
    assert not Notification.objects.exists()
    assert not OutboxMessage.objects.exists()
    assert send(committed_tenant, body).status == 202


@pytest.mark.parametrize("redis", ["up", "down"])
def test_identical_requests_at_once_are_accepted_once(
    committed_tenant: Tenant, settings: Any, redis: str
) -> None:
    if redis == "down":
        settings.CARILLON = replace(settings.CARILLON, redis_url=UNREACHABLE)
        forget_connections()
    body = inline(*to(*range(600)), request_id="r")
    answers = at_once([lambda: send(committed_tenant, body)] * 6)
    counts = Counter(answer.status for answer in answers)
    assert counts[202] == 1
    assert set(counts) <= {202, 200, 409}
    assert len({a.data["batch_id"] for a in answers if a.status < 300}) == 1
    assert Batch.objects.count() == 1
    assert Notification.objects.count() == OutboxMessage.objects.count() == 600


def own(*request_ids: str, name: str = "a") -> list[dict[str, str]]:
    """Recipients with request_ids of their own."""
    return [{**to(name)[0], "request_id": request_id} for request_id in request_ids]


@pytest.mark.django_db
def test_a_recipients_own_request_id_is_sent_once(tenant: Tenant) -> None:
    first = accepted(tenant, inline(*own("r1", "r2")))
    second = accepted(tenant, inline(*own("r1", "r3"), *own("r2", name="other")))
    assert (second["accepted"], second["replayed"], second["refused"]) == (1, 1, 1)
    assert refusals(second) == {2: "request_id_conflict"}
    assert Notification.objects.count() == 3
    assert Notification.objects.filter(batch_id=first["batch_id"]).count() == 2


@pytest.mark.django_db
def test_single_and_bulk_share_their_request_ids(tenant: Tenant) -> None:
    shared = inline()
    del shared["recipients"]
    tenant.users.add_user(tenant.id, make_user(external_id="u"))
    assert tenant.api.send({**shared, "user_id": "u", "request_id": "r1"}).status == 202
    data = accepted(tenant, inline({"user_id": "u", "request_id": "r1"}, *own("r2")))
    assert (data["accepted"], data["replayed"]) == (1, 1)
    again = tenant.api.send({**shared, "to": "a@example.com", "request_id": "r2"})
    assert (again.status, again.headers["Idempotent-Replayed"]) == (200, "true")


@pytest.mark.django_db
def test_the_same_request_id_twice_in_one_request(tenant: Tenant) -> None:
    nobody = {"user_id": "nobody", "request_id": "r2"}
    data = accepted(tenant, inline(*own("r1", "r1"), *own("r1", name="other"), nobody, nobody))
    assert (data["accepted"], data["replayed"]) == (1, 1)
    assert refusals(data) == {2: "request_id_conflict", 3: "user_not_found", 4: "user_not_found"}


@pytest.mark.django_db
def test_all_known_is_no_refusal(tenant: Tenant) -> None:
    accepted(tenant, inline(*own("r1", "r2")))
    data = accepted(tenant, inline(*own("r1", "r2")))
    assert (data["accepted"], data["replayed"], data["refused"]) == (0, 2, 0)


def test_requests_that_overtake_each_other_send_each_once(committed_tenant: Tenant) -> None:
    """The same request_ids in opposite orders: some overtake, some lock each other out."""
    recipients = [each for n in range(1_200) for each in own(f"r{n}", name=str(n))]

    def ask(some: list[dict[str, str]]) -> Answer:
        return send(committed_tenant, inline(*some))

    answers = at_once([lambda: ask(recipients), lambda: ask(recipients[::-1])] * 2)
    assert {answer.status for answer in answers} == {202}, [a.body for a in answers]
    assert sum(answer.data["accepted"] for answer in answers) == 1_200
    assert sum(answer.data["replayed"] for answer in answers) == 3_600
    assert Notification.objects.count() == OutboxMessage.objects.count() == 1_200
    used = redis_client().get(f"carillon:quota:{committed_tenant.id}:{month()}")
    assert int(used or 0) == 1_200


def month() -> str:
    created = Notification.objects.values_list("created_at", flat=True).first()
    assert created is not None
    return f"{created:%Y-%m}"
