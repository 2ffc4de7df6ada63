"""The page behind a link: what it shows, what a press does, and whom it never touches."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from carillon.contracts import ids
from carillon.unsubscribe_links import AddressLink, CategoryLink, ChannelLink, Link, LinkSigner
from carillon.web.tenants.models import Organization
from user_service.suppressions.models import Suppression
from user_service.tests.calls import Api, internal_secret, user_path
from user_service.tests.gateway import Gateway
from user_service.users.models import PreferenceChange, User

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

FORM = "application/x-www-form-urlencoded"
ONE_CLICK = "List-Unsubscribe=One-Click"


class Page(HTMLParser):
    """What a reader finds on a page."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.status: int = response.status_code
        self.headers: Any = response.headers
        self.html: str = response.content.decode()
        self.text = " ".join(
            re.sub(r"<style>.*?</style>|<[^>]*>", " ", self.html, flags=re.S).split()
        )
        self.language = ""
        self.ticked: dict[str, bool] = {}
        self.buttons: list[str] = []
        self.offered = ""
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "html":
            self.language = given["lang"] or ""
        elif tag == "button":
            self.buttons.append(given["value"] or "")
        elif tag == "input" and given["type"] == "checkbox":
            self.ticked[given["value"] or ""] = "checked" in given
        elif tag == "input" and given["name"] == "offered":
            self.offered = given["value"] or ""


def token(link: Link) -> str:
    return LinkSigner(settings.LINK_SECRETS).token(link)


def look(link: Link | str, **headers: str) -> Page:
    return _call("GET", link, "", headers)


def press(link: Link | str, body: str = ONE_CLICK, **headers: str) -> Page:
    return _call("POST", link, body, headers)


def _call(method: str, link: Link | str, body: str, headers: dict[str, str]) -> Page:
    text = link if isinstance(link, str) else token(link)
    sent = {"X-Internal-Secret": internal_secret()}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    path = f"/internal/links/{text}/"
    return Page(Client().generic(method, path, body, content_type=FORM, headers=sent))


def choose(page: Page, link: Link, **ticked: bool) -> Page:
    """Save the form of a page with some boxes changed; `news__email` is `news.email`."""
    wanted = {**page.ticked, **{name.replace("__", "."): on for name, on in ticked.items()}}
    boxes = "".join(f"&on={name}" for name, on in wanted.items() if on)
    return press(link, f"action=choose&offered={page.offered.replace(' ', '+')}{boxes}")


def news(api: Api, user: dict[str, Any], category: str = "news") -> CategoryLink:
    return CategoryLink(api.organization_id, user["user_id"], category)


def preferences(api: Api, user: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = api.get(user_path(user["user_id"], "preferences/")).data
    return data


def history(api: Api, user: dict[str, Any]) -> list[dict[str, Any]]:
    changes: list[dict[str, Any]] = api.get(user_path(user["user_id"], "preferences/history/")).data
    return changes


def everything() -> list[Any]:
    return [list(model.objects.values()) for model in (User, PreferenceChange, Suppression)]


@pytest.fixture
def jane(api: Api) -> dict[str, Any]:
    return api.create(email="jane@example.com", name="Jane", language="en-GB")


def test_looking_changes_nothing_however_often(api: Api, jane: dict[str, Any]) -> None:
    before = everything()
    for link in (
        news(api, jane),
        ChannelLink(api.organization_id, jane["user_id"], "email"),
        AddressLink(api.organization_id, "email", "joe@example.com"),
    ):
        for _ in range(2):
            page = look(link)
            assert page.status == 200
            assert "Acme" in page.text
            assert page.buttons[0] == "leave"
    assert everything() == before


@pytest.mark.parametrize("body", [ONE_CLICK, "", "action=leave", "unknown=field"])
def test_one_press_leaves_the_category_on_every_channel(
    api: Api, jane: dict[str, Any], body: str
) -> None:
    page = press(news(api, jane), body)
    assert page.status == 200
    assert "You are unsubscribed" in page.text
    assert "Acme will send you nothing more about “News”" in page.text
    assert preferences(api, jane)["categories"] == {
        "news": {"email": False, "sms": False, "whatsapp": False, "push": False}
    }
    assert preferences(api, jane)["preferences"]["email"] is True
    (change,) = history(api, jane)
    assert change["source"] == "unsubscribe_link"
    assert {c["field"] for c in change["changes"]} >= {"categories.news.email"}


def test_a_second_press_is_as_good_as_one(api: Api, jane: dict[str, Any]) -> None:
    for _ in range(3):
        assert press(news(api, jane)).status == 200
    assert len(history(api, jane)) == 1


def test_leaving_is_possible_for_who_has_said_a_lot(api: Api, jane: dict[str, Any]) -> None:
    said = {f"a{n}": {"email": False} for n in range(100)}
    assert api.patch(user_path(jane["user_id"], "preferences/"), {"categories": said}).status == 200
    assert "You are unsubscribed" in press(news(api, jane)).text
    assert preferences(api, jane)["categories"]["news"]["email"] is False


def test_without_a_category_one_press_leaves_the_channel(api: Api, jane: dict[str, Any]) -> None:
    page = press(ChannelLink(api.organization_id, jane["user_id"], "email"))
    assert "nothing more by email, except what is essential" in page.text
    found = preferences(api, jane)
    assert found["preferences"] == {"email": False, "sms": True, "whatsapp": True, "push": True}
    assert found["categories"] == {}
    assert history(api, jane)[0]["source"] == "unsubscribe_link"


def test_one_may_return(api: Api, jane: dict[str, Any]) -> None:
    link = news(api, jane)
    page = press(link)
    assert page.buttons[0] == "return"
    page = press(link, "action=return")
    assert "You are subscribed again" in page.text
    assert preferences(api, jane)["categories"] == {"news": {"email": True}}
    assert look(link).buttons[0] == "leave"
    channel = ChannelLink(api.organization_id, jane["user_id"], "email")
    press(channel)
    press(channel, "action=return")
    assert preferences(api, jane)["preferences"]["email"] is True
    assert [change["source"] for change in history(api, jane)] == ["unsubscribe_link"] * 4


def test_what_is_essential_cannot_be_left(api: Api, jane: dict[str, Any]) -> None:
    before = preferences(api, jane)
    for page in (look(news(api, jane, "security")), press(news(api, jane, "security"))):
        assert page.status == 200
        assert "These messages are essential" in page.text
        assert "leave" not in page.buttons
    assert preferences(api, jane) == before
    assert history(api, jane) == []


def test_the_page_offers_what_the_person_can_receive(api: Api, jane: dict[str, Any]) -> None:
    api.post(
        "/api/v1/categories/",
        {
            "code": "offers",
            "name": "Offers & more",
            "description": "Twice a <month>.",
            "preferences": {"email": False},
        },
    )
    page = look(news(api, jane))
    assert page.ticked == {"email": True, "news.email": True, "offers.email": False}
    assert "Offers &amp; more" in page.html
    assert "Twice a &lt;month&gt;." in page.html
    assert "Always sent" in page.text
    assert "Security" in page.text
    api.patch(user_path(jane["user_id"]), {"phone_number": "+447700900123"})
    api.post(user_path(jane["user_id"], "devices/"), {"platform": "fcm", "token": "phone"})
    assert {"sms", "whatsapp", "push", "news.push"} <= set(look(news(api, jane)).ticked)


def test_somebody_who_cannot_be_reached_may_still_choose(api: Api) -> None:
    user = api.create(external_id="no-address")
    assert set(look(news(api, user)).ticked) >= {"email", "sms", "whatsapp", "push"}


def test_choices_are_saved_and_only_what_was_changed(api: Api, jane: dict[str, Any]) -> None:
    api.post("/api/v1/categories/", {"code": "offers", "preferences": {"email": False}})
    link = news(api, jane)
    page = choose(look(link), link, news__email=False, offers__email=True)
    assert "Your choices are saved" in page.text
    assert page.ticked == {"email": True, "news.email": False, "offers.email": True}
    user = User.objects.get(id=jane["user_id"])
    assert user.preferences == {}
    assert user.categories == {"news": {"email": False}, "offers": {"email": True}}
    (change,) = history(api, jane)
    assert change["source"] == "unsubscribe_link"
    assert len(change["changes"]) == 2
    # What stayed as it was is still at its default.
    choose(page, link)
    assert len(history(api, jane)) == 1


def test_a_box_that_the_page_did_not_have_is_left_alone(api: Api, jane: dict[str, Any]) -> None:
    link = news(api, jane)
    page = look(link)
    api.post("/api/v1/categories/", {"code": "later"})
    api.patch(user_path(jane["user_id"]), {"phone_number": "+447700900123"})
    choose(page, link, news__email=False)
    assert User.objects.get(id=jane["user_id"]).categories == {"news": {"email": False}}


def test_the_form_cannot_switch_off_what_is_essential(api: Api, jane: dict[str, Any]) -> None:
    page = press(news(api, jane), "action=choose&offered=security.email+made-up.email")
    assert page.status == 200
    assert history(api, jane) == []


def test_everything_goes_with_one_press(api: Api, jane: dict[str, Any]) -> None:
    link = news(api, jane)
    assert "everything" in look(link).buttons
    page = press(link, "action=everything")
    assert "nothing more, except what is essential" in page.text
    assert "everything" not in page.buttons
    assert set(preferences(api, jane)["preferences"].values()) == {False}
    assert history(api, jane)[0]["source"] == "unsubscribe_link"


def test_the_very_next_notification_heeds_it(committed_api: Api, gateway: Gateway) -> None:
    user = committed_api.create(email="jane@example.com")
    press(news(committed_api, user))
    assert gateway.user(committed_api, user["user_id"]).categories["news"]["email"] is False
    press(news(committed_api, user), "action=everything")
    assert gateway.user(committed_api, user["user_id"]).preferences["email"] is False


def test_an_address_without_a_user_is_suppressed(committed_api: Api, gateway: Gateway) -> None:
    api = committed_api
    link = AddressLink(api.organization_id, "email", "joe@example.com")
    page = look(link)
    assert "jo***@example.com" in page.text
    assert "joe@example.com" not in page.html
    page = press(link)
    assert "You are unsubscribed" in page.text
    (found,) = api.get("/api/v1/suppressions/").data
    assert (found["channel"], found["address"]) == ("email", "joe@example.com")
    assert (found["reason"], found["source"]) == ("unsubscribe", "unsubscribe_link")
    record = gateway.suppression(api, "email", "joe@example.com")
    assert record is not None
    assert record.reason == "unsubscribe"
    assert press(link).status == 200
    assert Suppression.objects.count() == 1


def test_a_user_with_that_address_is_told_of_at_once(committed_api: Api, gateway: Gateway) -> None:
    user = committed_api.create(email="joe@example.com")
    press(AddressLink(committed_api.organization_id, "email", "joe@example.com"))
    assert gateway.user(committed_api, user["user_id"]).suppressed == {"email": "unsubscribe"}
    assert "Nothing is sent to jo***@example.com by email" in look(news(committed_api, user)).text


def test_an_address_may_return(committed_api: Api, gateway: Gateway) -> None:
    api = committed_api
    link = AddressLink(api.organization_id, "sms", "+447700900123")
    press(link)
    page = press(link, "action=return")
    assert "You are subscribed again" in page.text
    assert Suppression.objects.count() == 0
    record = gateway.suppression(api, "sms", "+447700900123")
    assert record is not None
    assert record.reason == ""


@pytest.mark.parametrize("reason", ["hard_bounce", "complaint", "manual"])
def test_what_others_stopped_a_link_does_not_start_again(api: Api, reason: str) -> None:
    link = AddressLink(api.organization_id, "email", "joe@example.com")
    api.post(
        "/api/v1/suppressions/",
        {"channel": "email", "address": "joe@example.com", "reason": reason},
    )
    page = look(link)
    assert "Nothing is sent to this address" in page.text
    assert page.buttons == []
    assert "Only Acme can allow them again" in press(link, "action=return").text
    assert Suppression.objects.get().reason == reason
    # To leave is always possible, and changes nothing here.
    assert press(link).status == 200
    assert Suppression.objects.get().reason == reason


def test_an_erased_user_finds_a_calm_page(api: Api, jane: dict[str, Any]) -> None:
    link = news(api, jane)
    api.delete(user_path(jane["user_id"]))
    for page in (look(link), press(link), press(link, "action=everything")):
        assert page.status == 200
        assert "You are not on the list" in page.text
        assert page.buttons == []
        assert page.ticked == {}


def test_an_organization_that_is_gone_is_as_calm(api: Api) -> None:
    gone = ids.new_id(ids.ORGANIZATION)
    for link in (
        AddressLink(gone, "email", "joe@example.com"),
        CategoryLink(gone, ids.new_id(ids.USER), "news"),
    ):
        assert "You are not on the list" in press(link).text
    assert Suppression.objects.count() == 0


def test_a_link_of_one_organization_touches_no_other(
    api: Api, other_api: Api, jane: dict[str, Any]
) -> None:
    page = press(CategoryLink(other_api.organization_id, jane["user_id"], "news"))
    assert "You are not on the list" in page.text
    assert history(api, jane) == []


def test_a_tampered_token_is_404_and_changes_nothing(api: Api, jane: dict[str, Any]) -> None:
    genuine = token(news(api, jane))
    before = everything()
    for text in (genuine[:-2], genuine + "AA", "A" + genuine[1:], "x", genuine.swapcase()):
        for page in (look(text), press(text)):
            assert page.status == 404
            assert "This link does not work" in page.text
    assert everything() == before


@pytest.mark.parametrize(
    "body",
    ["action=destroy", "action=choose&offered=fax", "action=choose&offered=A+B.email"],
)
def test_a_form_that_is_not_ours_changes_nothing(api: Api, jane: dict[str, Any], body: str) -> None:
    before = everything()
    page = press(news(api, jane), body)
    assert page.status == 400
    assert "Nothing was changed" in page.text
    assert everything() == before


def test_broken_bodies_are_400(api: Api, jane: dict[str, Any]) -> None:
    path = f"/internal/links/{token(news(api, jane))}/"
    headers = {"X-Internal-Secret": internal_secret()}
    for body, media_type in (
        (b"x" * 70_000, FORM),
        (b"--y\r\n", "multipart/form-data"),
        (b"&".join(b"a%d=1" % n for n in range(2_000)), FORM),
    ):
        answer = Client().generic("POST", path, body, content_type=media_type, headers=headers)
        assert answer.status_code == 400, media_type
    assert history(api, jane) == []


@pytest.mark.parametrize(
    ("users", "browsers", "expected"),
    [
        ("de-AT", "fr", "de"),
        ("pt-BR", "", "pt"),
        ("", "es-MX,es;q=0.9,en;q=0.5", "es"),
        ("ja", "fr-CA", "fr"),
        ("ja", "ko, *;q=0.1", "en"),
        ("", "", "en"),
        ("", "fr;q=0, de;q=0.3", "de"),
        ("", ";;q=x,,\x00", "en"),
    ],
)
def test_the_page_speaks_the_readers_language(
    api: Api, users: str, browsers: str, expected: str
) -> None:
    user = api.create(email="jane@example.com", language=users or None)
    page = look(news(api, user), **({"Accept_Language": browsers} if browsers else {}))
    assert page.language == expected
    assert page.headers["Content-Language"] == expected


def test_the_page_is_whole_in_every_language(api: Api) -> None:
    """No placeholder is left over, and every state has its words."""
    Organization.objects.filter(id=api.organization_id).update(name="Acme {x} <b>")
    for language in ("en", "de", "fr", "es", "pt"):
        user = api.create(external_id=f"c-{language}", language=language, email=f"{language}@x.com")
        link = news(api, user)
        pages = [
            look(link),
            press(link),
            press(link, "action=return"),
            press(link, "action=everything"),
            choose(look(link), link),
            look(news(api, user, "otp")),
            press(ChannelLink(api.organization_id, user["user_id"], "push")),
            look(ChannelLink(api.organization_id, user["user_id"], "sms")),
        ]
        for page in pages:
            assert page.status == 200
            assert page.language == language
            left_over = re.findall(r"\{\w*\}", page.text)
            assert set(left_over) <= {"{x}"}
            assert "<b>" not in page.html
        assert len({page.text for page in pages}) == len(pages)


def test_every_box_has_a_label_and_every_part_a_name(api: Api, jane: dict[str, Any]) -> None:
    html = look(news(api, jane)).html
    boxes = html.count('<input type="checkbox"')
    assert boxes == len(re.findall(r"<label><input type=\"checkbox\"[^>]*> [^<]+</label>", html))
    assert html.count("<fieldset>") == html.count("<legend>") == 2
    assert html.count("<h1>") == 1
    for name in re.findall(r'aria-labelledby="(\w+)"', html):
        assert f'id="{name}"' in html
    assert 'id="preferences"' in html
    assert "<script" not in html
    assert not re.search(r"\b(src|href|style|on\w+)=\"", html)


def test_a_result_is_announced(api: Api, jane: dict[str, Any]) -> None:
    assert 'role="status"' not in look(news(api, jane)).html
    assert 'role="status"' in press(news(api, jane)).html
