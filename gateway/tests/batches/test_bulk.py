"""A bulk request: what is accepted of it, what is refused, and what is stored."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carillon.contracts.records import PublishedVersion
from carillon.contracts.status import Status
from gateway.batches.models import Batch
from gateway.notifications.models import Notification
from gateway.outbox.models import OutboxMessage
from gateway.tests.batches.requests import accepted, inline, refusals, send, templated, to
from gateway.tests.conftest import Tenant
from gateway.tests.records import make_template, make_user, make_version

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

GREETING = PublishedVersion(
    version=3, subject="{{ greeting }} {{ name }}", content="Hi", variables=("greeting", "name")
)


@pytest.fixture
def tenant(tenant: Tenant) -> Tenant:
    """With a template."""
    tenant.templates.add_template(tenant.id, make_template())
    return tenant


def users(tenant: Tenant, count: int, **fields: Any) -> list[dict[str, str]]:
    made = [
        make_user(external_id=f"u{n}", email=f"u{n}@example.com", **fields) for n in range(count)
    ]
    for user in made:
        tenant.users.add_user(tenant.id, user)
    return [{"user_id": user.external_id} for user in made]


def test_what_is_wrong_with_one_does_not_stop_the_others(tenant: Tenant) -> None:
    (known,) = users(tenant, 1)
    tenant.users.add_user(tenant.id, make_user(external_id="unreachable", email=""))
    name = {"name": "Ada"}
    data = accepted(
        tenant,
        templated(
            {**known, "variables": name},
            {"user_id": "nobody", "variables": name},
            {"user_id": "unreachable", "variables": name},
            known,
            {"to": "someone@example.com", "variables": name},
            {"to": "someone@example", "variables": name},
            {"variables": name},
            {**known, "to": "someone@example.com"},
            {**known, "colour": "red"},
            {**known, "variables": [1]},
            "ada",
        ),
    )
    assert (data["accepted"], data["refused"]) == (2, 9)
    assert (data["rejected"], data["replayed"]) == (0, 0)
    assert refusals(data) == {
        1: "user_not_found",
        2: "no_address",
        3: "missing_variables",
        5: "validation_error",
        6: "missing_fields",
        7: "validation_error",
        8: "validation_error",
        9: "validation_error",
        10: "validation_error",
    }
    told = {refusal["index"]: refusal["message"] for refusal in data["refusals"]}
    assert told[3] == "Missing variables: name."
    assert told[8].startswith("colour: Unknown field.")
    assert told[9] == "variables: Expected an object, got an array."
    assert Notification.objects.count() == OutboxMessage.objects.count() == 2


def test_what_is_stored(tenant: Tenant) -> None:
    tenant.templates.add_template(
        tenant.id, make_template(category="news", languages={"en": GREETING})
    )
    (ada,) = users(tenant, 1)
    data = accepted(
        tenant,
        templated(
            {**ada, "variables": {"name": "Ada"}},
            {"to": "Grace@Example.com", "variables": {"name": "Grace", "greeting": "Dear"}},
            variables={"greeting": "Hello", "name": "you"},
            metadata={"campaign": "spring"},
            priority=9,
        ),
    )
    batch = Batch.objects.get(pk=data["batch_id"])
    assert (batch.accepted, batch.total, batch.category) == (2, 2, "news")
    first, second = Notification.objects.order_by("id").select_related("content")
    assert first.content.content["subject"] == "Hello Ada"
    assert second.content.content["subject"] == "Dear Grace"
    assert first.user_id
    assert not second.user_id
    assert second.content.addresses == [{"value": "Grace@example.com"}]
    for notification in (first, second):
        assert notification.batch_id == data["batch_id"]
        assert notification.correlation_id == data["correlation_id"]
        assert notification.metadata == {"campaign": "spring"}
        assert notification.category == "news"
        assert notification.template_version == 3
        assert (notification.lane, notification.priority) == ("bulk", 9)
        assert notification.status == Status.ACCEPTED
        # Behind everything that was sent alone.
        assert OutboxMessage.objects.get(pk=notification.pk).priority == 3
    detail = tenant.api.get(f"/api/v1/notifications/{first.pk}/")
    assert detail.data["status"] == "accepted"


def test_each_is_written_to_in_their_language(tenant: Tenant) -> None:
    german = make_version(subject="Willkommen, {{ name }}!")
    tenant.templates.add_template(
        tenant.id, make_template(languages={"en": make_version(), "de": german})
    )
    tenant.users.add_user(tenant.id, make_user(external_id="g", language="de-AT"))
    accepted(tenant, templated({"user_id": "g"}, *to("x"), variables={"name": "Ada"}))
    first, second = Notification.objects.order_by("id").select_related("content")
    assert (first.language, first.content.content["subject"]) == ("de", "Willkommen, Ada!")
    assert (second.language, second.content.content["subject"]) == ("en", "Welcome, Ada!")


def test_what_is_urgent_by_nature_stays_so(tenant: Tenant) -> None:
    accepted(tenant, inline(*to("a"), category="security"))
    assert Notification.objects.get().lane == "high"
    assert OutboxMessage.objects.get().priority == 8


def test_inline_content_is_the_same_for_all(tenant: Tenant) -> None:
    data = accepted(tenant, inline(*to("a", "b"), {**to("c")[0], "variables": {"x": 1}}))
    assert refusals(data) == {2: "validation_error"}
    contents = Notification.objects.values_list("content__content__subject", flat=True)
    assert list(contents) == ["Hello", "Hello"]


def test_a_scheduled_one_waits_in_the_outbox(tenant: Tenant) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    accepted(tenant, inline(*to("a", "b"), scheduled_at=at.isoformat()))
    assert {n.status for n in Notification.objects.all()} == {"scheduled"}
    assert {row.available_at for row in OutboxMessage.objects.all()} == {at}


def test_who_does_not_want_it_is_kept_as_rejected(tenant: Tenant) -> None:
    (willing,) = users(tenant, 1)
    tenant.users.add_user(tenant.id, make_user(external_id="no", preferences={"email": False}))
    data = accepted(tenant, inline(willing, {"user_id": "no"}))
    assert (data["accepted"], data["rejected"], data["refused"]) == (1, 1, 0)
    rejected = Notification.objects.get(status="rejected")
    assert rejected.reason == "user_opted_out"
    assert not OutboxMessage.objects.filter(pk=rejected.pk).exists()


def test_suppressed_addresses_get_nothing(tenant: Tenant) -> None:
    tenant.users.suppress(tenant.id, "email", "bounced@example.com")
    data = accepted(tenant, inline(*to("bounced", "fine")))
    assert (data["accepted"], data["rejected"]) == (1, 1)
    assert Notification.objects.get(status="rejected").reason == "suppressed"


def test_what_the_organization_decided_holds(tenant: Tenant) -> None:
    tenant.users.decide(tenant.id, preferences={"email": False})
    (known,) = users(tenant, 1)
    assert accepted(tenant, inline(known))["rejected"] == 1


def test_all_refused_is_400_and_nothing_is_stored(tenant: Tenant) -> None:
    answer = send(tenant, inline({"user_id": "nobody"}, {"to": "x"}, request_id="r"))
    assert answer.error == (400, "all_recipients_refused")
    assert [each["error"] for each in answer.body["details"]["refusals"]] == [
        "user_not_found",
        "validation_error",
    ]
    assert not Batch.objects.exists()
    assert not Notification.objects.exists()
    # The request_id is free, for the corrected request.
    assert send(tenant, inline(*to("a"), request_id="r")).status == 202


def test_it_counts_once_against_the_organizations_limit(tenant: Tenant) -> None:
    answer = send(tenant, inline(*to(*range(50))))
    assert '"minute";r=5999;' in answer.headers["RateLimit"]
    assert '"month";r=99950;' in answer.headers["RateLimit"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (templated({"to": "a@b.de"}, template_code="nothing"), (404, "template_not_found")),
        (
            {**templated({"to": "+447700900123"}), "notification_type": "sms"},
            (400, "template_type_mismatch"),
        ),
        (inline({"to": "a@b.de"}, scheduled_at="2020-01-01T00:00:00Z"), (400, "validation_error")),
    ],
)
def test_what_is_wrong_with_all_is_told_once(
    tenant: Tenant, body: object, expected: tuple[int, str]
) -> None:
    assert send(tenant, body).error == expected
    assert not Batch.objects.exists()


def test_recipients_are_refused_as_single_notifications_are(tenant: Tenant) -> None:
    tenant.users.add_user(tenant.id, make_user(external_id="unreachable", email=""))
    wrong: list[dict[str, Any]] = [
        {"user_id": "nobody"},
        {"user_id": "unreachable"},
        {"to": "a@x.com,b@y.com"},
        {"to": "a@x.com\r\nBcc: b@y.com"},
        {"to": {"token": "t"}},
        {"to": ""},
        {"user_id": "x" * 129},
        {"to": "a@x.com", "request_id": "x" * 129},
        {"to": "a@x.com", "request_id": "a\nb"},
        {"to": 5},
        {},
    ]
    shared = inline()
    del shared["recipients"]
    single = [tenant.api.send({**shared, **each}) for each in wrong]
    data = accepted(tenant, inline(*wrong, *to("fine")))
    assert refusals(data) == {n: answer.body["error"] for n, answer in enumerate(single)}


def test_thousands_are_looked_up_a_thousand_at_a_time(tenant: Tenant) -> None:
    recipients = users(tenant, 2_300)
    data = accepted(tenant, inline(*recipients, {"user_id": "nobody"}))
    assert (data["accepted"], refusals(data)) == (2_300, {2_300: "user_not_found"})
    calls = [c for c in tenant.users.calls if c.path == "/internal/users/batch/"]
    assert len(calls) == 3
    assert Notification.objects.count() == OutboxMessage.objects.count() == 2_300
