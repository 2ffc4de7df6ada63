"""The public page: passed on for whoever holds a token of ours, and nobody else."""

from collections.abc import Callable
from random import randrange
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from carillon.contracts import ids
from carillon.unsubscribe_links import CategoryLink, LinkSigner
from gateway.admission import client_addresses
from gateway.connections import link_signer
from gateway.notifications.models import NotificationContent
from gateway.tests.conftest import Tenant
from gateway.tests.doubles import Reply, ServiceDouble

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

PAGE = b"<!doctype html><title>Messages from Acme</title>"
FORM = "application/x-www-form-urlencoded"
MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
)


@pytest.fixture(autouse=True)
def service(user_double: ServiceDouble) -> ServiceDouble:
    client_addresses._process_limits._full_at.clear()
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Language": "de"}
    user_double.reply = Reply(200, PAGE, headers)
    return user_double


def token() -> str:
    link = CategoryLink(ids.new_id(ids.ORGANIZATION), ids.new_id(ids.USER), "news")
    return link_signer().token(link)


def get(path: str, **headers: str) -> Any:
    return Client().get(path, headers=headers)


@pytest.fixture(autouse=True)
def own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test calls from an address of its own: misses are counted by address."""
    address = f"198.18.{randrange(256)}.{randrange(256)}"
    monkeypatch.setattr("gateway.admission.client_addresses.client_address", lambda _: address)


def test_the_page_comes_from_the_user_service(service: ServiceDouble) -> None:
    text = token()
    answer = get(f"/u/{text}/", **{"Accept-Language": "de-CH, fr;q=0.5"})
    assert (answer.status_code, answer.content) == (200, PAGE)
    (call,) = service.calls
    assert (call.method, call.path) == ("GET", f"/internal/links/{text}/")
    assert call.headers["accept-language"] == "de-CH, fr;q=0.5"
    assert call.headers["x-internal-secret"] == service.secret
    assert call.body == b""


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (FORM, b"List-Unsubscribe=One-Click"),
        (
            "multipart/form-data; boundary=x",
            MULTIPART,
        ),
        ("", b""),
    ],
)
def test_a_press_is_passed_on_as_it_came(
    service: ServiceDouble, media_type: str, body: bytes
) -> None:
    answer = Client(enforce_csrf_checks=True).generic(
        "POST", f"/u/{token()}/", body, content_type=media_type
    )
    assert (answer.status_code, answer.content) == (200, PAGE)
    (call,) = service.calls
    assert (call.method, call.body) == ("POST", body)
    if media_type:
        assert call.headers["content-type"] == media_type


def test_only_what_belongs_there_is_passed_on(service: ServiceDouble) -> None:
    headers = {"Cookie": "sessionid=1", "X-API-Key": "org_live_x", "X-Organization-ID": "org_1"}
    get(f"/u/{token()}/", **headers)
    (call,) = service.calls
    assert not {"cookie", "x-api-key", "x-organization-id", "authorization"} & set(call.headers)


def test_the_page_is_guarded_and_sets_no_cookie() -> None:
    for answer in (get(f"/u/{token()}/"), get("/u/nonsense/")):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert not answer.cookies


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_nobody_signed_is_404_and_costs_the_service_nothing(
    service: ServiceDouble, method: str
) -> None:
    genuine = token()
    stranger = LinkSigner(("a-secret-of-strangers",))
    link = link_signer().read(genuine)
    assert link is not None
    for text in (
        "nonsense",
        genuine[:-1],
        genuine + "A",
        genuine[:20] + ("A" if genuine[20] != "A" else "B") + genuine[21:],
        stranger.token(link),
        "%00",
        "..%2F",
    ):
        answer = Client().generic(method, f"/u/{text}/", headers={"Accept-Language": "fr"})
        assert answer.status_code == 404, text
    assert service.calls == []


def test_a_wrong_link_says_so_in_the_browsers_language() -> None:
    answer = get("/u/nonsense/", **{"Accept-Language": "xx, fr-CA;q=0.9, en;q=0.1"})
    page = answer.content.decode()
    assert '<html lang="fr">' in page
    assert "Ce lien ne fonctionne pas" in page
    assert answer.headers["Content-Language"] == "fr"


def test_other_methods_are_refused() -> None:
    for method in ("PUT", "PATCH", "DELETE"):
        assert Client().generic(method, f"/u/{token()}/").status_code == 405


@pytest.mark.parametrize("trouble", ["down", "refused"])
def test_while_the_service_is_away_the_page_says_so(service: ServiceDouble, trouble: str) -> None:
    if trouble == "down":
        service.down = True
    else:
        service.secret = "another"
    answer = Client().post(f"/u/{token()}/")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Not available right now" in answer.content.decode()


def allowed_before_refusal(call: Callable[[int], Any]) -> tuple[int, Any]:
    """How many calls were answered, and the first refusal; the limits leak while we call."""
    for n in range(300):
        answer = call(n)
        if answer.status_code == 429:
            return n, answer
    raise AssertionError("nothing was ever refused")


def test_one_link_is_not_pressed_without_end_and_others_are_unharmed() -> None:
    text = token()
    pressed, refused = allowed_before_refusal(lambda _n: Client().post(f"/u/{text}/"))
    assert 20 <= pressed < 60
    assert int(refused.headers["Retry-After"]) >= 1
    assert "Please wait a moment" in refused.content.decode()
    # A mailbox provider presses for all of its users, from one address.
    assert {Client().post(f"/u/{token()}/").status_code for _ in range(40)} == {200}


def test_guessing_is_slowed_down_by_address() -> None:
    missed, _ = allowed_before_refusal(lambda n: get(f"/u/guess{n}/"))
    assert 30 <= missed < 90
    assert get(f"/u/{token()}/").status_code == 200


def test_too_long_a_body_is_not_passed_on(service: ServiceDouble) -> None:
    answer = Client().post(f"/u/{token()}/", b"a" * 65_537, content_type=FORM)
    assert answer.status_code == 400
    assert service.calls == []


def test_the_link_in_a_message_leads_here(tenant: Tenant, configure: Any) -> None:
    configure(public_url="https://notify.example.com")
    accepted = tenant.api.accepted(category="news")
    row = NotificationContent.objects.get(pk=accepted["notification_id"])
    path = urlsplit(row.content["unsubscribe_url"]).path
    assert get(path).status_code == 200
