"""Dates, times, numbers and money, as the reader's language writes them."""

import time
from typing import Any

import pytest
from babel import localedata

from carillon.contracts.messages import EmailContent, TextContent
from carillon.rendering import RenderFailed, TooMuchWork, check_syntax, conventions, render_content
from carillon.rendering.tests.versions import SOON, version

AT = "2026-01-31T23:30:00Z"


def told(
    source: str,
    /,
    *,
    language: str = "en",
    timezone: str = "UTC",
    channel: str = "sms",
    **data: Any,
) -> str:
    """`source` rendered as a text message."""
    made = version(source)
    content = render_content(made, channel, data, language=language, timezone=timezone)
    assert isinstance(content, TextContent)
    return content.body


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "Jan 31, 2026|January 31|January 2026|Saturday|2026|2026-01-31"),
        ("en-GB", "31 Jan 2026|31 January|January 2026|Saturday|2026|2026-01-31"),
        ("de-CH", "31.01.2026|31. Januar|Januar 2026|Samstag|2026|2026-01-31"),
        ("pt-BR", "31 de jan. de 2026|31 de janeiro|janeiro de 2026|sábado|2026|2026-01-31"),
        ("ja", "2026/01/31|1月31日|2026年1月|土曜日|2026年|2026-01-31"),
    ],
)
def test_a_date_reads_as_in_the_language(language: str, expected: str) -> None:
    styles = ("medium", "day", "month", "weekday", "year", "iso")
    source = "|".join(f"{{{{ d|date('{style}') }}}}" for style in styles)
    text = told(source, language=language, channel="whatsapp", d="2026-01-31")
    assert text == (expected)


@pytest.mark.parametrize(
    ("timezone", "expected"),
    [
        ("UTC", "Jan 31, 2026 at 11:30 PM"),
        ("Asia/Tokyo", "Feb 1, 2026 at 8:30 AM"),
        ("America/New_York", "Jan 31, 2026 at 6:30 PM"),
        ("No/Such", "Jan 31, 2026 at 11:30 PM"),
        ("", "Jan 31, 2026 at 11:30 PM"),
    ],
)
def test_a_moment_is_told_on_the_readers_clock(timezone: str, expected: str) -> None:
    text = told("{{ at|date }} at {{ at|time }}", timezone=timezone, at=AT)
    assert text == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "Jan 31, 2026, 11:30:00 PM|2026-01-31T23:30:00+00:00"),
        ("fr", "31 janv. 2026, 23:30:00|2026-01-31T23:30:00+00:00"),
        ("de", "31.01.2026, 23:30:00|2026-01-31T23:30:00+00:00"),
    ],
)
def test_date_and_time_together(language: str, expected: str) -> None:
    assert told("{{ at|datetime }}|{{ at|datetime('iso') }}", language=language, at=AT) == expected


def test_a_place_can_have_its_own_clock() -> None:
    source = "{{ at|time(timezone=place) }} {{ at|date('iso', timezone='Asia/Tokyo') }}"
    assert told(source, at=AT, place="Europe/Paris", language="fr") == "00:30 2026-02-01"


def test_clocks_follow_daylight_saving_time() -> None:
    source = "{{ a|time('iso') }} {{ b|time('iso') }}"
    times = {"a": "2026-03-29T00:59:00Z", "b": "2026-03-29T01:00:00Z"}
    assert told(source, timezone="Europe/Berlin", **times) == "01:59 03:00"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("09:30", "9:30 AM"),
        (1_769_902_200, "11:30 PM"),
        (1_769_902_200.5, "11:30 PM"),
        ("2026-02-01T00:30:00+01:00", "11:30 PM"),
    ],
)
def test_times_come_in_several_forms(value: object, expected: str) -> None:
    assert told("{{ at|time }}", at=value) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "1,234,567.891 1,234,567.89 26% 25.6% €1,234.50 ¥1,235"),
        ("en-IN", "12,34,567.891 12,34,567.89 26% 25.6% €1,234.50 JP¥1,235"),
        ("de", "1.234.567,891 1.234.567,89 26 % 25,6 % 1.234,50 € 1.235 ¥"),
        ("fr-CH", "1 234 567,891 1 234 567,89 26% 25,6% 1 234,50 € 1 235 JPY"),
        ("pt-BR", "1.234.567,891 1.234.567,89 26% 25,6% € 1.234,50 JP¥ 1.235"),
        ("tr", "1.234.567,891 1.234.567,89 %26 %25,6 €1.234,50 ¥1.235"),
    ],
)
def test_numbers_and_money_read_as_in_the_language(language: str, expected: str) -> None:
    source = (
        "{{ n|number }} {{ n|number(2) }} {{ p|percent }} {{ p|percent(1) }} "
        "{{ m|currency('EUR') }} {{ m|currency(unit) }}"
    )
    data: dict[str, Any] = {"n": 1234567.891, "p": 0.256, "m": "1234.50", "unit": "JPY"}
    assert told(source, language=language, channel="whatsapp", **data) == expected


def test_money_that_travels_as_a_text_stays_exact() -> None:
    assert told("{{ m|currency('USD') }}", m="12345678901234567.89") == "$12,345,678,901,234,567.89"


def test_spaces_that_do_not_break_stay_in_html_alone() -> None:
    made = version("{{ m|currency('EUR') }}", subject="s", html="<p>{{ m|currency('EUR') }}</p>")
    content = render_content(made, "email", {"m": 5}, language="de")
    assert isinstance(content, EmailContent)
    assert (content.body, content.html) == ("5,00 €", "<p>5,00\u00a0€</p>")


def test_what_is_written_is_escaped_like_all_else() -> None:
    made = version(subject="s", html="{{ m|currency('EUR') ~ x }}")
    content = render_content(made, "email", {"m": 5, "x": "<b>"}, language="en")
    assert isinstance(content, EmailContent)
    assert content.html == "€5.00&lt;b&gt;"


def test_an_absent_optional_value_is_written_as_nothing() -> None:
    names = ("date", "time", "datetime", "number", "percent", "currency('EUR')")
    source = "-".join(f"{{{{ x|{name} }}}}" for name in names)
    content = render_content(version(f"a{source}", optional=("x",)), "sms", {})
    assert isinstance(content, TextContent)
    assert content.body == "a-----"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("x|date", "soon"),
        ("x|date", "2026-02-30"),
        ("x|date", "2026-01-31T09:30:00"),
        ("x|date", "0001-01-01T00:00:00+14:00"),
        ("x|date", True),
        ("x|date", ["2026-01-31"]),
        ("x|date", 10**18),
        ("x|date", "2" * 100_000),
        ("x|time", "25:00"),
        ("x|time", "9:30"),
        ("x|datetime", "2026-01-31"),
        ("x|date(timezone='No/Such')", AT),
        ("x|date(timezone='../../etc/passwd')", AT),
        ("x|date(timezone=5)", AT),
        ("x|number", "1e999999"),
        ("x|number", "9" * 100_000),
        ("x|number", "NaN"),
        ("x|number", 1e300),
        ("x|number", True),
        ("x|number('2')", 1),
        ("x|number(11)", 1),
        ("x|percent(-1)", 1),
        ("x|currency('EURO')", 1),
        ("x|currency('eur')", 1),
        ("x|currency(5)", 1),
        ("x|currency('EUR')", {"amount": 1}),
    ],
)
def test_what_cannot_be_written_is_refused_with_its_place(expression: str, value: object) -> None:
    with pytest.raises(RenderFailed) as caught:
        told("ab {{ " + expression + " }}", x=value)
    assert (caught.value.line, caught.value.field) == (1, "content")


@pytest.mark.parametrize(
    "expression",
    [
        "x|date('yyyy')",
        "x|date(style)",
        "x|date('long', 'UTC')",
        "x|date(format='long')",
        "x|time('weekday')",
        "x|number(1, 2)",
        "x|number(decimals=2)",
        "x|currency",
        "x|currency('EUR', 2)",
    ],
)
def test_arguments_are_checked_when_a_template_is_saved(expression: str) -> None:
    (problem,) = check_syntax("{{ " + expression + " }}")
    assert problem.code == "wrong_arguments"


def test_every_language_can_be_written() -> None:
    made = version(
        "{{ at|date('full') }} {{ at|date('day') }} {{ at|date('month') }} {{ at|date('year') }} "
        "{{ at|time('full') }} "
        "{{ at|datetime('long') }} {{ n|number(1) }} {{ n|percent(1) }} {{ n|currency('EUR') }}"
    )
    data = {"at": AT, "n": 1234.5}
    for tag in localedata.locale_identifiers()[::7]:
        content = render_content(made, "whatsapp", data, language=tag.replace("_", "-"))
        assert isinstance(content, TextContent)
        assert len(content.body) > 60, tag


@pytest.mark.parametrize("tag", ["", "xx", "en-XX", "en-Latn-US-x-private", "-", "a" * 100])
def test_a_language_that_is_not_known_is_near_enough(tag: str) -> None:
    assert told("{{ n|number }}", n=1234.5, language=tag) == "1,234.5"


@pytest.mark.parametrize(
    ("written_in", "preferred", "expected"),
    [
        ("en", "en-GB", "en-GB"),
        ("en", "fr", "en"),
        ("pt", "pt-BR", "pt-BR"),
        ("pt-BR", "pt", "pt"),
        ("en", "", "en"),
    ],
)
def test_conventions_fit_the_language_of_the_text(
    written_in: str, preferred: str, expected: str
) -> None:
    assert conventions(written_in, preferred) == expected


def test_two_readers_of_one_compiled_template_do_not_meet() -> None:
    source = "{{ n|number(1) }}"
    found = [told(source, n=1234.5, language=tag) for tag in ("en", "de", "en", "de")]
    assert found == ["1,234.5", "1.234,5"] * 2


def test_much_writing_ends_in_time() -> None:
    chain = "|".join(["number"] * 20)
    source = "".join(f"{{{{ '{i}'|{chain} }}}}" for i in range(1, 999))
    started = time.thread_time()
    with pytest.raises(TooMuchWork):
        told(source, channel="whatsapp")
    # Compiling is a part of it.
    assert time.thread_time() - started < SOON
