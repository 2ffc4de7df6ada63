"""Opens and clicks: where a template asks for it, and only to where its sender meant."""

import re
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client

from carillon.contracts import ids
from carillon.contracts.messages import EmailContent, Outcome, TextContent
from carillon.contracts.status import Status
from gateway.callbacks.models import CallbackEvent, Engagement
from gateway.callbacks.services.draining import drain
from gateway.deliveries.services.events import apply_events
from gateway.notifications.models import NotificationContent
from gateway.outbox.database import connect
from gateway.tests.calls import NOTIFICATIONS
from gateway.tests.conftest import Tenant
from gateway.tests.deliveries.conftest import read
from gateway.tests.factories import make_event, make_notification
from gateway.tests.policies import POLICIES
from gateway.tests.records import make_template, make_user, make_version
from gateway.tracking import pages
from gateway.tracking.pages import COUNTED_MOST, PICTURE, WINDOW_SECONDS
from gateway.tracking.rewriting import tracked, tracking_signer
from gateway.tracking.tokens import TARGET_MOST, TrackedLink, TrackingSigner

PUBLIC = "https://notify.example.com"
TARGET = "https://shop.example.com/a?b=1&c=2#d"


@pytest.fixture(autouse=True)
def public(configure: Any) -> None:
    configure(public_url=PUBLIC)


def rewritten(page: str, *, opens: bool = False, clicks: bool = True) -> str:
    content = tracked(EmailContent("Hi", html=page), uuid4(), opens=opens, clicks=clicks)
    assert isinstance(content, EmailContent)
    return content.html


def target_of(page: str) -> list[str]:
    """Where the tracked links in a page lead in the end."""
    tokens = re.findall(rf'"{PUBLIC}/l/([^/"]+)/"', page)
    links = [tracking_signer().read(token) for token in tokens]
    return [link.target for link in links if link]


@pytest.mark.parametrize(
    "page",
    [
        '<a href="{}">x</a>',
        "<a href='{}'>x</a>",
        '<p>Zoë\n\n<b>ß</b>\r\n <A class=x\n HREF = "{}" target=_blank>x</a>',
        '<a title="a href=/no > b" href="{}">x</a>',
        '<map><area href="{}"></map>',
        "<a href={}>x</a>",
        '<!-- <a href="https://no.example.com/"> --><a href=" {} ">x</a>',
    ],
)
def test_a_link_leads_over_us_to_the_same_page(page: str) -> None:
    given = page.replace("{}", TARGET.replace("&", "&amp;"))
    made = rewritten(given)
    assert target_of(made) == [TARGET]
    # Nothing else was touched.
    assert re.sub(rf'"{PUBLIC}/l/[^"]+"', "X", made) == re.sub(
        r"""["']?\s*https://shop[^\s"'>]+\s*["']?""", "X", given
    )


@pytest.mark.parametrize(
    "page",
    [
        '<a href="mailto:ada@example.com">x</a>',
        '<a href="tel:+441">x</a>',
        '<a href="#top">x</a>',
        '<a href="/relative">x</a>',
        '<a href="javascript:alert(1)">x</a>',
        "<a href>x</a>",
        '<a href="">x</a>',
        '<a name="x">x</a>',
        '<a href="https://shop.example.com/" data-no-track>x</a>',
        f'<a href="{PUBLIC}/u/token/#preferences">x</a>',
        f'<a href="https://shop.example.com/{"x" * TARGET_MOST}">x</a>',
        '<a href="https://[::1/">x</a>',
        '<link href="https://shop.example.com/style.css">',
        '<!-- <a href="https://shop.example.com/"> -->',
        '<a href="https://shop.example.com/\nSet-Cookie: a">x</a>',
        "<a href",
        "",
    ],
)
def test_what_is_no_page_stays_as_it_is(page: str) -> None:
    assert rewritten(page) == page


def test_the_picture_stands_at_the_end() -> None:
    for page, start in (
        ("<html><body><p>x</p></body></html>", "<html><body><p>x</p><img "),
        ("<p>x</p>", "<p>x</p><img "),
        ("</body>x</BODY >", "</body>x<img "),
    ):
        made = rewritten(page, opens=True, clicks=False)
        assert made.startswith(start)
        assert made.count("<img ") == 1
        assert made.endswith(page[len(start) - len("<img ") :])


def test_only_html_is_tracked_and_only_if_asked() -> None:
    for content in (TextContent("https://x.example.com/"), EmailContent("a", body="https://x/")):
        assert tracked(content, uuid4(), opens=True, clicks=True) is content
    email = EmailContent("a", html="<a href='https://x.example.com/'>x</a>")
    assert tracked(email, uuid4(), opens=False, clicks=False) is email


def test_a_token_says_what_was_signed_and_nothing_else() -> None:
    signer, other = TrackingSigner(("a" * 32, "b" * 32)), TrackingSigner(("b" * 32,))
    link = TrackedLink(uuid4(), TARGET)
    token = other.token(link)
    assert signer.read(token) == link
    assert other.read(signer.token(link)) is None
    for forged in (token[:-1], f"{token}A", token[1:], "", "é", "A" * 60, "A" * 9_999):
        assert signer.read(forged) is None
    for position in range(0, len(token), 7):
        letter = "A" if token[position] != "A" else "B"
        assert signer.read(f"{token[:position]}{letter}{token[position + 1 :]}") is None
    with pytest.raises(ValueError, match="target"):
        signer.token(TrackedLink(uuid4(), "javascript:alert(1)"))


@pytest.mark.integration
@pytest.mark.django_db
def test_a_click_goes_where_the_token_says_and_is_kept(tenant: Tenant) -> None:
    notification = make_notification(tenant.organization)
    uuid = ids.parse_id(ids.NOTIFICATION, notification.pk)
    assert uuid is not None
    token = tracking_signer().token(TrackedLink(uuid, TARGET))
    answer = Client().get(f"/l/{token}/?next=https://evil.example.com/")
    assert (answer.status_code, answer.headers["Location"]) == (302, TARGET)
    assert answer.headers["Cache-Control"] == "no-store"
    kept = CallbackEvent.objects.get()
    assert (kept.provider, kept.kind, kept.notification_id) == (
        "carillon",
        "clicked",
        notification.pk,
    )
    picture = tracking_signer().token(TrackedLink(uuid))
    letter = "A" if token[-1] != "A" else "B"
    for path in (
        f"/l/{token[:-1]}{letter}/",
        f"/l/{picture}/",
        "/l/https://evil.example.com/",
        "/l/https%3A%2F%2Fevil.example.com/",
        f"/t/{token}.gif",
        "/t/x.gif",
    ):
        assert Client().get(path).status_code == 404, path
    assert CallbackEvent.objects.count() == 1
    assert Client().post(f"/l/{token}/").status_code == 405
    assert Client().head(f"/l/{token}/").status_code == 302
    assert CallbackEvent.objects.count() == 1


@pytest.mark.integration
@pytest.mark.django_db
def test_the_picture_is_served_whatever_happens(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/t/{tracking_signer().token(TrackedLink(uuid4()))}.gif"
    began = time.monotonic()
    for _ in range(2 * COUNTED_MOST):
        answer = Client().get(path)
        assert (answer.status_code, answer.content) == (200, PICTURE)
    # The limit fills up again meanwhile.
    refilled = (time.monotonic() - began) * COUNTED_MOST / WINDOW_SECONDS
    assert COUNTED_MOST <= CallbackEvent.objects.count() <= COUNTED_MOST + refilled + 1

    def fail(*_args: object, **_options: object) -> int:
        raise OperationalError("the database is away")

    monkeypatch.setattr(pages, "keep_events", fail)
    other = f"/t/{tracking_signer().token(TrackedLink(uuid4()))}.gif"
    assert Client().get(other).content == PICTURE


@pytest.mark.integration
@pytest.mark.django_db(transaction=True)
def test_an_email_of_a_tracked_template_is_tracked_to_its_end(committed_tenant: Tenant) -> None:
    tenant = committed_tenant
    version = make_version(
        html_content=f'<p>Hi {{{{ name }}}}</p><a href="{TARGET}">Shop</a>'
        '<a href="{{ unsubscribe_url }}">Leave</a>'
    )
    template = make_template(languages={"en": version}, track_opens=True, track_clicks=True)
    tenant.templates.add_template(tenant.id, template)
    user = tenant.users.add_user(tenant.id, make_user())
    answer = tenant.api.send(
        {
            "notification_type": "email",
            "user_id": user.user_id,
            "template_code": template.code,
            "variables": {"name": "Ada"},
        }
    )
    assert answer.status == 202, answer.body
    notification = NotificationContent.objects.get(pk=answer.data["notification_id"])
    page = notification.content["html"]
    assert target_of(page) == [TARGET]
    assert f'<a href="{PUBLIC}/u/' in page
    click = re.findall(rf"{PUBLIC}(/l/[^\"]+)", page)[0]
    picture = re.findall(rf"{PUBLIC}(/t/[^\"]+)", page)[0]
    assert len(urlsplit(click).path) < 4_000
    Client().get(picture)
    Client().get(picture)
    Client().get(click)
    owner = notification.notification
    owner.status = Status.QUEUED
    owner.save()
    session = connect("callbacks", idle_in_transaction=30)
    try:
        apply_events(session, [read(make_event(owner, Outcome.DELIVERED))], POLICIES)
        drain(session, POLICIES, now=datetime.now(UTC), wait_seconds=60)
    finally:
        session.close()
    data = tenant.api.get(f"{NOTIFICATIONS}{owner.pk}/").data
    assert data["status"] == "delivered"
    assert {kind: each["count"] for kind, each in data["engagement"].items()} == {
        "opened": 2,
        "clicked": 1,
    }
    assert Engagement.objects.count() == 2
