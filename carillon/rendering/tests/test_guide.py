"""The authors' guide: every example says what it renders to, and every word is in it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from carillon import rendering
from carillon.contracts.messages import EmailContent, TextContent
from carillon.rendering import Part, check_version, compose, render_content
from carillon.rendering.language import FILTERS, FUNCTIONS, TESTS
from carillon.rendering.mjml import compile_mjml
from carillon.rendering.tests.versions import version

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "templates.md").read_text()
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"(.+?) +\{# (.+) #\}")


def examples() -> Iterator[tuple[str, str, str, str]]:
    """Source, what comes out, language, time zone."""
    for kind, reader, block in FENCE.findall(GUIDE):
        if kind == "jinja":
            language, timezone = reader.split() or ("en", "UTC")
            for line in block.splitlines():
                found = EXAMPLE.fullmatch(line)
                assert found is not None, line
                yield found[1], found[2], language, timezone


@pytest.fixture(scope="module")
def data() -> dict[str, object]:
    """The variables that the guide names."""
    (block,) = (block for kind, _, block in FENCE.findall(GUIDE) if kind == "json")
    found: dict[str, object] = json.loads(block)
    return found


@pytest.mark.parametrize(("source", "expected", "language", "timezone"), list(examples()))
def test_an_example_renders_to_what_the_guide_says(
    source: str, expected: str, language: str, timezone: str, data: dict[str, object]
) -> None:
    made = version(source, optional=("nickname",))
    content = render_content(made, "sms", data, language=language, timezone=timezone)
    assert isinstance(content, TextContent)
    assert content.body.strip() == expected


def named(kind: str) -> dict[str, str]:
    """The blocks of a kind by their names."""
    return {name.strip(): block for found, name, block in FENCE.findall(GUIDE) if found == kind}


def test_the_layout_of_the_guide_makes_what_the_guide_says(data: dict[str, object]) -> None:
    sources = named("django")

    def find(code: str) -> Part | None:
        if code not in sources:
            return None
        return Part(code, 1, "en", {"html_content": sources[code]}, ("company",))

    written = version(subject="s", html=sources["welcome"], required=("name", "order"))
    composed = compose(written, "email", find, code="welcome")
    assert (composed.problems, composed.warnings) == ((), ())
    assert check_version(composed.version, "email") == ()
    content = render_content(composed.version, "email", {**data, "company": "Acme"})
    assert isinstance(content, EmailContent)
    lines = [line for line in content.html.splitlines() if line]
    assert lines == named("html")["welcome"].splitlines()


def test_the_mjml_of_the_guide_is_compiled(data: dict[str, object]) -> None:
    made = version("x", subject="s", html=compile_mjml(named("mjml")[""]))
    assert check_version(msgspec.structs.replace(made, variables=("items", "url")), "email") == ()
    content = render_content(made, "email", data)
    assert isinstance(content, EmailContent)
    assert ">Lamp: €40.00</div>" in content.html
    assert ">Desk: €120.00</div>" in content.html


def test_every_warning_is_told_of() -> None:
    lint = (Path(rendering.__file__).parent / "lint.py").read_text()
    codes = set(re.findall(r'"([a-z]+(?:_[a-z]+)*)", (?:message|f")', lint))
    told = set(re.findall(r"^\| `([a-z_]+)` \|", GUIDE, re.MULTILINE))
    assert {"clipped", "unicode_sms"} <= codes
    # The others need the template service's database; its tests name them.
    assert codes <= told


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_every_filter_is_shown(name: str) -> None:
    assert f"|{name}" in GUIDE or f"`{name}`" in GUIDE


@pytest.mark.parametrize("name", sorted(TESTS))
def test_every_test_is_shown(name: str) -> None:
    assert re.search(rf" is {name}\b", GUIDE)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_is_shown(name: str) -> None:
    assert f"{name}(" in GUIDE
