"""The authors' guide: every example says what it renders to, and every word is in it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from carillon.contracts.messages import TextContent
from carillon.rendering import render_content
from carillon.rendering.language import FILTERS, FUNCTIONS, TESTS
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


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_every_filter_is_shown(name: str) -> None:
    assert f"|{name}" in GUIDE or f"`{name}`" in GUIDE


@pytest.mark.parametrize("name", sorted(TESTS))
def test_every_test_is_shown(name: str) -> None:
    assert re.search(rf" is {name}\b", GUIDE)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_is_shown(name: str) -> None:
    assert f"{name}(" in GUIDE
