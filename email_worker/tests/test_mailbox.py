"""What may stand in an envelope."""

import pytest

from email_worker.mailbox import InvalidMailbox, Mailbox, parse_mailbox


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ada@example.com", "ada@example.com"),
        ("ada+tag@example.com", "ada+tag@example.com"),
        ("o'hara@sub.example.co.uk", "o'hara@sub.example.co.uk"),
        ("ada@localhost", "ada@localhost"),
        ("ada@müller.de", "ada@xn--mller-kva.de"),
        # IDNA 2003 would make this strasse.de: somebody else's domain.
        ("ada@straße.de", "ada@xn--strae-oqa.de"),
        ("ada@例え.jp", "ada@xn--r8jz45g.jp"),
        ("ada@xn--mller-kva.de", "ada@xn--mller-kva.de"),
    ],
)
def test_an_address_becomes_ascii_where_it_can(text: str, address: str) -> None:
    mailbox = parse_mailbox(text)
    assert mailbox.address == address
    assert not mailbox.needs_smtputf8


def test_a_local_part_beyond_ascii_needs_smtputf8() -> None:
    mailbox = parse_mailbox("jürgen@müller.de")
    assert mailbox == Mailbox("jürgen", "xn--mller-kva.de")
    assert mailbox.needs_smtputf8


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "a@x,b@y",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        "ada @example.com",
        "ada@example.com ",
        "ada@exa mple.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\n",
        "ada\r\n@example.com",
        "ada\0@example.com",
        "ada@example.com\0",
        '"ada lovelace"@example.com',
        "ada(comment)@example.com",
        ".ada@example.com",
        "ada.@example.com",
        "a..da@example.com",
        "ada@-example.com",
        "ada@example-.com",
        "ada@.example.com",
        "ada@example..com",
        "ada@example.com.",
        "ada@[127.0.0.1]",
        "ada@[IPv6:::1]",
        "ada@example.com:25",
        "ada@ex_ample.com",
        f"{'a' * 65}@example.com",
        f"ada@{'a' * 64}.com",
        f"ada@{'.'.join(['a' * 60] * 5)}.com",
        "ad\u2028a@example.com",
        "ad\u202ea@example.com",
        "ad\u00a0a@example.com",
        "ad\ud800a@example.com",
        "ada@exam\u2028ple.com",
        "ada@\ud800.com",
        "ada@exam\uff20ple.com",
    ],
)
def test_anything_else_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidMailbox) as caught:
        parse_mailbox(text)
    assert text == "" or text not in str(caught.value)
