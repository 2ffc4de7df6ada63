"""Tokens of unsubscribe links: what they carry, and that nobody else can make one."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.contracts import ids
from carillon.unsubscribe_links import (
    TOKEN_LENGTH,
    AddressLink,
    CategoryLink,
    ChannelLink,
    Link,
    LinkSigner,
)

ORGANIZATION = ids.format_id(ids.ORGANIZATION, UUID(int=7))
USER = ids.format_id(ids.USER, UUID(int=8))
LINKS: tuple[Link, ...] = (
    CategoryLink(ORGANIZATION, USER, "marketing"),
    ChannelLink(ORGANIZATION, USER, "email"),
    AddressLink(ORGANIZATION, "email", "jané+news@example.com"),
    AddressLink(ORGANIZATION, "sms", "+447700900123"),
)
SIGNER = LinkSigner(("a-secret-of-tests-1",))


@pytest.mark.parametrize("link", LINKS)
def test_a_token_carries_what_it_was_made_of(link: Link) -> None:
    assert SIGNER.read(SIGNER.token(link)) == link


@pytest.mark.parametrize("link", LINKS)
def test_a_token_is_short_and_needs_no_quoting_in_a_url(link: Link) -> None:
    token = SIGNER.token(link)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    assert len(token) <= 90


def test_the_longest_token_is_within_the_bound() -> None:
    longest = AddressLink(ORGANIZATION, "whatsapp", "é" * 127)
    assert len(SIGNER.token(longest)) <= TOKEN_LENGTH


def test_a_token_never_changes() -> None:
    """It stands in mails that were sent years ago: another form needs another version."""
    token = "EQAAAAAAAAAAAAAAAAAAAAcAAAAAAAAAAAAAAAAAAAAIbmV3cxgeM78KCBu64bJvy1JyYY4"
    assert SIGNER.token(CategoryLink(ORGANIZATION, USER, "news")) == token


@pytest.mark.parametrize("link", LINKS)
def test_no_character_can_be_changed_dropped_or_added(link: Link) -> None:
    token = SIGNER.token(link)
    for at in range(len(token)):
        other = "A" if token[at] != "A" else "B"
        assert SIGNER.read(token[:at] + other + token[at + 1 :]) is None
        assert SIGNER.read(token[:at]) is None
    for added in ("A", "=", "==", "/", "\n", " ", "é", "\x00"):
        assert SIGNER.read(token + added) is None
        assert SIGNER.read(added + token) is None


@given(st.text(max_size=200))
def test_nonsense_is_nobodys_token(text: str) -> None:
    assert SIGNER.read(text) is None


def test_too_long_a_token_is_not_even_decoded() -> None:
    assert SIGNER.read("A" * (TOKEN_LENGTH + 1)) is None


def test_another_secret_makes_other_tokens() -> None:
    other = LinkSigner(("a-secret-of-tests-2",))
    assert SIGNER.read(other.token(LINKS[0])) is None


def test_an_old_secret_still_reads_and_the_first_one_signs() -> None:
    rotated = LinkSigner(("a-new-one-of-tests", "a-secret-of-tests-1"))
    assert rotated.read(SIGNER.token(LINKS[0])) == LINKS[0]
    assert rotated.token(LINKS[0]) != SIGNER.token(LINKS[0])
    assert SIGNER.read(rotated.token(LINKS[0])) is None


def test_users_and_categories_do_not_run_into_each_other() -> None:
    tokens = {SIGNER.token(link) for link in LINKS}
    assert len(tokens) == len(LINKS)
    assert SIGNER.token(CategoryLink(ORGANIZATION, USER, "email")) != SIGNER.token(
        ChannelLink(ORGANIZATION, USER, "email")
    )


def test_what_is_no_id_is_not_signed() -> None:
    for link in (
        CategoryLink("acme", USER, "news"),
        CategoryLink(ORGANIZATION, "customer-1", "news"),
    ):
        with pytest.raises(ValueError, match="not an id"):
            SIGNER.token(link)
