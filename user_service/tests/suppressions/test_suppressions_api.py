"""Suppressed addresses: added, listed, released; known to the gateway at once."""

import threading
from collections.abc import Collection

import pytest
from django.db import connection, transaction

from carillon.contracts.channels import CHANNELS, AddressKind
from user_service.locks import hold_names
from user_service.suppressions.models import Suppression
from user_service.suppressions.selectors import CHANNEL_NAMES, reasons_by_digest
from user_service.tests.calls import Answer, Api, user_path
from user_service.tests.gateway import Gateway
from user_service.tests.waiting import PATIENCE, until_somebody_waits
from user_service.users.services.changes import address_name, lock_user, publish

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

SUPPRESSIONS = "/api/v1/suppressions/"
REPORTS = "/internal/suppressions/"
CHECK = "/internal/suppressions/check/"


def suppress(api: Api, address: str, channel: str = "email", **more: str) -> Answer:
    return api.post(SUPPRESSIONS, {"channel": channel, "address": address, **more})


def suppressed(api: Api, identifier: object) -> object:
    return api.get(f"/internal/users/{identifier}/").body["suppressed"]


def test_every_channel_with_addresses_of_people_can_be_suppressed() -> None:
    assert set(CHANNEL_NAMES) == {
        channel.name for channel in CHANNELS.values() if channel.address is not AddressKind.DEVICE
    }


def test_an_address_is_suppressed_in_one_form(api: Api) -> None:
    answer = suppress(api, "Jane@EXAMPLE.com", reason="hard_bounce", note="550 no such user")
    assert answer.status == 201
    shown = answer.data
    assert shown["suppression_id"].startswith("supp_")
    assert shown == {
        "suppression_id": shown["suppression_id"],
        "channel": "email",
        "address": "jane@example.com",
        "reason": "hard_bounce",
        "source": "api",
        "note": "550 no such user",
        "created_at": shown["created_at"],
    }
    assert api.get(f"{SUPPRESSIONS}{shown['suppression_id']}/").data == shown
    numbered = suppress(api, "+44 7700 900123", "sms")
    assert numbered.data["address"] == "+447700900123"
    assert numbered.data["reason"] == "manual"


def test_repeating_changes_nothing(api: Api) -> None:
    first = suppress(api, "jane@example.com", reason="complaint")
    again = suppress(api, "JANE@example.com", reason="manual")
    assert again.status == 200
    assert again.data == first.data
    assert Suppression.objects.count() == 1


def test_a_user_is_suppressed_on_the_channel_of_the_address(api: Api, other_api: Api) -> None:
    body = {"email": "Jane@example.com", "phone_number": "+447700900123", "external_id": "jane"}
    api.create(**body)
    api.create(email="joe@example.com", external_id="joe", phone_number="+447700900123")
    other_api.create(**body)
    assert suppressed(api, "jane") == {}
    suppress(api, "jane@example.com", reason="hard_bounce")
    suppress(api, "+447700900123", "whatsapp", reason="complaint")
    assert suppressed(api, "jane") == {"email": "hard_bounce", "whatsapp": "complaint"}
    assert suppressed(api, "joe") == {"whatsapp": "complaint"}
    assert suppressed(other_api, "jane") == {}
    batch = api.post("/internal/users/batch/", {"user_ids": ["joe", "jane"]}).body["users"]
    assert [user["suppressed"] for user in batch] == [
        suppressed(api, "joe"),
        suppressed(api, "jane"),
    ]


def test_a_user_with_a_suppressed_address_starts_suppressed(api: Api) -> None:
    suppress(api, "jane@example.com")
    api.create(external_id="jane", email="JANE@example.com")
    assert suppressed(api, "jane") == {"email": "manual"}
    api.patch(user_path("jane"), {"email": "other@example.com"})
    assert suppressed(api, "jane") == {}


def test_releasing_an_address(api: Api) -> None:
    api.create(external_id="jane", email="jane@example.com")
    path = f"{SUPPRESSIONS}{suppress(api, 'jane@example.com').data['suppression_id']}/"
    released = api.delete(path)
    assert released.status == 200
    assert path.endswith(f"{released.data['suppression_id']}/")
    assert suppressed(api, "jane") == {}
    assert api.get(path).error == (404, "suppression_not_found")
    assert api.delete(path).error == (404, "suppression_not_found")


@pytest.mark.parametrize("suppression_id", ["x", "supp_1", "user_" + "0" * 32, "%00"])
def test_what_is_no_suppression_is_404(api: Api, suppression_id: str) -> None:
    path = f"{SUPPRESSIONS}{suppression_id}/"
    assert api.get(path).error == (404, "suppression_not_found")
    assert api.delete(path).error == (404, "suppression_not_found")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["joe", "jane", "+44"]),
        ("channel=email", ["joe", "jane"]),
        ("channel=email&reason=complaint", ["joe"]),
        ("reason=manual", ["jane", "+44"]),
        ("search=JANE", ["jane"]),
        ("search=7700", ["+44"]),
        ("search=%25", []),
        ("limit=1&page=2", ["jane"]),
    ],
)
def test_the_list_is_filtered_and_paged(api: Api, query: str, found: list[str]) -> None:
    suppress(api, "+447700900123", "sms")
    suppress(api, "jane@example.com")
    suppress(api, "joe@example.com", reason="complaint")
    answer = api.get(f"{SUPPRESSIONS}?{query}")
    addresses = [suppression["address"] for suppression in answer.data]
    assert len(addresses) == len(found)
    assert all(a.startswith(start) for a, start in zip(addresses, found, strict=True))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("channel=fax", "channel"),
        ("reason=x", "reason"),
        ("search=%00", "search"),
        ("page=0", "page"),
    ],
)
def test_a_bad_filter_is_400(api: Api, query: str, field: str) -> None:
    answer = api.get(f"{SUPPRESSIONS}?{query}")
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == [field]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"channel": "push", "address": "token"}, "channel"),
        ({"channel": "fax", "address": "jane@example.com"}, "channel"),
        ({"channel": "email", "address": "jane"}, "address"),
        ({"channel": "email", "address": "+447700900123"}, "address"),
        ({"channel": "sms", "address": "jane@example.com"}, "address"),
        ({"channel": "sms", "address": 5}, "address"),
        ({"channel": "email", "address": "jane@example.com", "reason": "bored"}, "reason"),
        ({"channel": "email", "address": "jane@example.com", "note": "x" * 201}, "note"),
        ({"channel": "email", "address": "jane@example.com", "source": "me"}, "source"),
    ],
)
def test_a_bad_suppression_is_400_and_named(api: Api, body: object, field: str) -> None:
    answer = api.post(SUPPRESSIONS, body)
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == [field]


def test_missing_fields_are_named(api: Api) -> None:
    assert set(api.post(SUPPRESSIONS, {}).details) == {"channel", "address"}
    assert set(api.post(REPORTS, {}).details) == {"channel", "address", "source"}
    assert set(api.post(CHECK, {}).details) == {"channel", "addresses"}


def test_another_service_says_where_it_comes_from(api: Api) -> None:
    report = {
        "channel": "email",
        "address": "jane@example.com",
        "reason": "complaint",
        "source": "sendgrid",
    }
    assert api.post(REPORTS, report).status == 201
    assert api.post(REPORTS, report).status == 200
    assert api.get(SUPPRESSIONS).data[0]["source"] == "sendgrid"


def test_asking_about_addresses_of_no_user(api: Api) -> None:
    suppress(api, "jane@example.com", reason="unsubscribe")
    asked = {"channel": "email", "addresses": ["Jane@Example.com", "joe@example.com"]}
    assert api.post(CHECK, asked).body == {"suppressed": {"Jane@Example.com": "unsubscribe"}}
    by_sms = {"channel": "sms", "addresses": ["jane@example.com"]}
    assert api.post(CHECK, by_sms).body == {"suppressed": {}}
    push = {"channel": "push", "addresses": ["token"]}
    assert api.post(CHECK, push).error == (400, "validation_error")


def test_an_unknown_organization_suppresses_nothing(db: None) -> None:
    assert suppress(Api(), "jane@example.com").error == (404, "organization_not_found")


def test_erasing_a_user_clears_the_address_and_keeps_it_suppressed(api: Api) -> None:
    api.create(external_id="jane", email="jane@example.com", phone_number="+447700900123")
    api.create(external_id="joe", phone_number="+447700900123")
    suppress(api, "jane@example.com", note="jane wrote to us")
    suppress(api, "+447700900123", "sms")
    api.delete(user_path("jane"))
    erased, kept = Suppression.objects.order_by("channel")
    assert (erased.address, erased.note) == ("", "")
    assert kept.address == "+447700900123"
    listed = api.get(SUPPRESSIONS).data
    assert [suppression["address"] for suppression in listed] == ["+447700900123", None]
    api.create(external_id="jane", email="jane@example.com")
    assert suppressed(api, "jane") == {"email": "manual"}
    assert suppress(api, "jane@example.com").status == 200
    api.delete(f"{SUPPRESSIONS}{listed[1]['suppression_id']}/")
    assert api.post(CHECK, {"channel": "email", "addresses": ["jane@example.com"]}).body == {
        "suppressed": {}
    }


@pytest.mark.django_db(transaction=True)
class TestTheCaches:
    def test_the_gateway_sees_it_at_once(self, committed_api: Api, gateway: Gateway) -> None:
        api = committed_api
        api.create(external_id="jane", email="jane@example.com")
        before = gateway.user(api, "jane")
        assert before.suppressed == {}
        suppression = suppress(api, "jane@example.com", reason="hard_bounce").data
        after = gateway.user(api, "jane")
        assert after.suppressed == {"email": "hard_bounce"}
        assert after.revision > before.revision
        direct = gateway.suppression(api, "email", "JANE@example.com")
        assert direct is not None
        assert direct.reason == "hard_bounce"
        api.delete(f"{SUPPRESSIONS}{suppression['suppression_id']}/")
        assert gateway.user(api, "jane").suppressed == {}
        direct = gateway.suppression(api, "email", "jane@example.com")
        assert direct is not None
        assert direct.reason == ""

    def test_asking_is_remembered_and_overtaken(self, committed_api: Api, gateway: Gateway) -> None:
        api = committed_api
        api.post(CHECK, {"channel": "email", "addresses": ["jane@example.com"]})
        free = gateway.suppression(api, "email", "jane@example.com")
        assert free is not None
        assert free.reason == ""
        suppress(api, "jane@example.com")
        held = gateway.suppression(api, "email", "jane@example.com")
        assert held is not None
        assert (held.reason, held.revision > free.revision) == ("manual", True)

    def test_a_slow_asker_cannot_release_an_address(
        self, committed_api: Api, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        api = committed_api
        asked: list[object] = []

        def slowly(organization_id: str, digests: Collection[bytes]) -> dict[bytes, str]:
            found = reasons_by_digest(organization_id, digests)
            if not asked:
                asked.append(found)
                suppress(api, "jane@example.com")
            return found

        monkeypatch.setattr("user_service.suppressions.cache.reasons_by_digest", slowly)
        answer = api.post(CHECK, {"channel": "email", "addresses": ["jane@example.com"]})
        assert answer.body == {"suppressed": {}}
        held = gateway.suppression(api, "email", "jane@example.com")
        assert held is not None
        assert held.reason == "manual"

    def test_an_address_taken_while_it_is_being_suppressed_is_suppressed(
        self, committed_api: Api, gateway: Gateway
    ) -> None:
        """Neither transaction sees the other's rows: the address's lock makes one wait."""
        api = committed_api
        api.create(external_id="jane", email="old@example.com")
        answers: list[Answer] = []

        def meanwhile() -> None:
            try:
                answers.append(suppress(api, "new@example.com"))
            finally:
                connection.close()

        thread = threading.Thread(target=meanwhile)
        with transaction.atomic():
            hold_names(api.organization_id, [address_name("new@example.com")])
            user = lock_user(api.organization_id, "jane")
            user.email = "new@example.com"
            thread.start()
            until_somebody_waits()
            publish(user, "updated")
        thread.join(PATIENCE)
        assert answers[0].status == 201
        assert gateway.user(api, "jane").email == "new@example.com"
        assert gateway.user(api, "jane").suppressed == {"email": "manual"}
