"""Addresses are stored in one form, and those that nobody can be reached at are refused."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from carillon.web.addresses import InvalidAddress, normalize_email, normalize_phone_number

ARABIC_INDIC = str.maketrans("0123456789", "".join(chr(0x660 + n) for n in range(10)))
FULL_WIDTH = str.maketrans("0123456789", "".join(chr(0xFF10 + n) for n in range(10)))


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("jane@example.com", "jane@example.com"),
        ("Jane.Doe+news@EXAMPLE.com", "Jane.Doe+news@example.com"),
        ("jane@münchen.de", "jane@xn--mnchen-3ya.de"),
        ("jane@xn--mnchen-3ya.de", "jane@xn--mnchen-3ya.de"),
        ("temp-fail@simulator.carillon.test", "temp-fail@simulator.carillon.test"),
        ("o'brien@example.co.uk", "o'brien@example.co.uk"),
    ],
)
def test_an_email_has_one_form(given: str, stored: str) -> None:
    assert normalize_email(given) == stored


@pytest.mark.parametrize(
    "given",
    [
        "",
        "jane",
        "jane@",
        "@example.com",
        "jane@localhost",
        "jane@example",
        "jane@exa mple.com",
        "jane@example..com",
        " jane@example.com",
        "jane@example.com\r\nBcc: all@example.com",
        "jane@example.com,joe@example.com",
        "jane@example.com;joe@example.com",
        "Jane <jane@example.com>",
        '"jane doe"@example.com',
        "jané@example.com",
        "jane@[127.0.0.1]",
        "jane@server.invalid",
        "j" * 65 + "@example.com",
        "jane@" + "a" * 250 + ".com",
        "jane@\N{ZERO WIDTH SPACE}example.com",
    ],
)
def test_an_email_that_cannot_be_delivered_to_is_refused(given: str) -> None:
    with pytest.raises(InvalidAddress) as refusal:
        normalize_email(given)
    assert str(refusal.value)


_LOCAL = st.text(alphabet="aZ0.+-_'\"!@ \té", max_size=66)
_DOMAIN = st.one_of(
    st.sampled_from(("example.com", "Example.COM", "xn--mnchen-3ya.de", "münchen.de", "a.test")),
    st.text(alphabet="aZ0.-_@ \ré", max_size=20),
    st.integers(180, 260).map(lambda length: ("a" * 60 + ".") * (length // 61) + "com"),
)


@given(_LOCAL, _DOMAIN)
@example("jane", "ab--cd.com")
@example("jane", "example.com.")
@example("a" * 64, "a" * 63 + "." + "b" * 63 + "." + "c" * 61)
def test_the_quick_way_says_what_the_whole_check_says(local: str, domain: str) -> None:
    text = f"{local}@{domain}"
    try:
        checked = validate_email(
            text,
            check_deliverability=False,
            allow_smtputf8=False,
            test_environment=True,
            strict=True,
        )
    except EmailNotValidError:
        with pytest.raises(InvalidAddress):
            normalize_email(text)
    else:
        assert normalize_email(text) == checked.ascii_email


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("+447700900003", "+447700900003"),
        ("+44 7700 900003", "+447700900003"),
        ("+44 (0)7700 900-003", "+447700900003"),
        ("+1 (415) 555-2671", "+14155552671"),
        ("+15551234567", "+15551234567"),
        ("+" + "447700900003".translate(ARABIC_INDIC), "+447700900003"),
        ("+" + "447700900003".translate(FULL_WIDTH), "+447700900003"),
        ("+234 803 123 4567", "+2348031234567"),
    ],
)
def test_a_number_has_one_form(given: str, stored: str) -> None:
    assert normalize_phone_number(given) == stored


@pytest.mark.parametrize(
    "given",
    [
        "",
        "+",
        "07700900003",
        "447700900003",
        "00447700900003",
        "+999123456789",
        "+1415555",
        "+1415555267100000",
        "+1-800-FLOWERS",
        "+44 7700 900003 ext 5",
        "tel:+447700900003",
        "+447700900003\r\n",
        "+447700900003,+447700900004",
        "++447700900003",
        "+" + "4" * 200,
    ],
)
def test_a_number_that_does_not_exist_is_refused(given: str) -> None:
    with pytest.raises(InvalidAddress, match=r"E\.164"):
        normalize_phone_number(given)


@pytest.mark.parametrize("given", ["+1 900 555 1234", "+979 123 456 789"])
def test_premium_rate_numbers_are_refused(given: str) -> None:
    with pytest.raises(InvalidAddress, match="Premium"):
        normalize_phone_number(given)
