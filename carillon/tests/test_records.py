"""Records: language fallback."""

import pytest

from carillon.contracts.records import PublishedVersion, TemplateRecord


def template(*languages: str, default: str = "en") -> TemplateRecord:
    return TemplateRecord(
        template_id="tmpl_1",
        code="welcome",
        type="email",
        revision=1,
        default_language=default,
        languages={tag: PublishedVersion(version=1) for tag in languages},
    )


@pytest.mark.parametrize(
    ("preferred", "found"),
    [
        (("pt-BR",), "pt-BR"),
        (("pt-PT",), "pt"),
        (("PT-br",), "pt-BR"),
        (("zh-Hant-TW",), "zh-Hant"),
        (("de",), "en"),
        ((), "en"),
        (("", "pt"), "pt"),
        (("de", "pt"), "pt"),
    ],
)
def test_languages_fall_back(preferred: tuple[str, ...], found: str) -> None:
    match = template("en", "pt", "pt-BR", "zh-Hant").in_language(*preferred)
    assert match is not None
    assert match[0] == found


def test_nothing_published_is_none() -> None:
    assert template("fr").in_language("de") is None
