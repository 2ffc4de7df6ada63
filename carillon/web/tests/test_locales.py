"""Language tags have one form; time zones are those of the IANA."""

import zoneinfo

import pytest

from carillon.web.locales import InvalidLocale, check_timezone, normalize_language


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("pt-br", "pt-BR"),
        ("ZH-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("sl-Rozaj-Biske", "sl-rozaj-biske"),
        ("de-CH-1996", "de-CH-1996"),
        ("en-u-hc-h12", "en-u-hc-h12"),
        ("zh-yue-HK", "zh-yue-HK"),
        ("yo-x-Lagos", "yo-x-lagos"),
    ],
)
def test_a_language_tag_has_its_usual_case(given: str, stored: str) -> None:
    assert normalize_language(given) == stored


@pytest.mark.parametrize(
    "given",
    [
        *(
            "",
            "e",
            "x",
            "english",
            "pt_BR",
            "en-",
            "-en",
            "en--GB",
            "e1",
            "en GB",
            "en-GB\n",
            "en-a",
        ),
        "\N{FULLWIDTH LATIN SMALL LETTER E}n",
        "en-x-" + "-".join(["abcdefgh"] * 10),
    ],
)
def test_what_is_no_language_tag_is_refused(given: str) -> None:
    with pytest.raises(InvalidLocale, match="BCP 47"):
        normalize_language(given)


@pytest.mark.parametrize("given", ["UTC", "Europe/London", "America/Argentina/Buenos_Aires"])
def test_time_zones_of_the_iana_pass(given: str) -> None:
    assert check_timezone(given) == given
    assert zoneinfo.ZoneInfo(given)


@pytest.mark.parametrize(
    "given",
    [
        *("", "europe/london", "Europe/London ", "Europe", "GMT+2", "Mars/Olympus"),
        *("../../etc/passwd", "/etc/passwd", "localtime", "Factory", "posixrules"),
    ],
)
def test_what_is_no_time_zone_is_refused(given: str) -> None:
    with pytest.raises(InvalidLocale, match="IANA"):
        check_timezone(given)
