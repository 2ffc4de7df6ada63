"""What fills a template that WhatsApp approved: texts of ours, within WhatsApp's bounds."""

from typing import Any

import msgspec
import pytest

from carillon.contracts.messages import ProviderTemplate, TextContent
from carillon.contracts.records import PublishedVersion
from carillon.rendering import (
    BrokenTemplate,
    EmptyContent,
    MissingVariables,
    OutputTooLarge,
    check_version,
    lint_version,
    provider_values,
    render_content,
)
from carillon.rendering.tests.versions import version

APPROVED = ProviderTemplate(
    name="order_sent",
    language="en_US",
    namespace="acme",
    header=("Hi {{ name }}",),
    parameters=("{{ name|upper }}", '{{ total|currency("EUR") }}'),
    buttons={"1": "b/{{ id }}", "0": "a/{{ id }}"},
)
DATA = {"name": "Ada", "total": "12.5", "id": "A-17"}


def approved(body: str = "", *, optional: tuple[str, ...] = (), **fields: Any) -> PublishedVersion:
    """A version that names APPROVED, or one that differs in `fields`."""
    required = tuple(name for name in DATA if name not in optional)
    made = version(body, required=required, optional=optional)
    template = msgspec.structs.replace(APPROVED, **fields)
    return msgspec.structs.replace(made, provider_template=template)


def test_every_value_is_rendered_in_the_readers_language() -> None:
    content = render_content(approved(), "whatsapp", DATA, language="de")
    assert content == TextContent(
        "",
        ProviderTemplate(
            name="order_sent",
            language="en_US",
            namespace="acme",
            header=("Hi Ada",),
            parameters=("ADA", "12,50 €"),
            buttons={"1": "b/A-17", "0": "a/A-17"},
        ),
    )


def test_a_text_goes_along_for_people() -> None:
    content = render_content(approved("{{ name }}"), "whatsapp", DATA)
    assert isinstance(content, TextContent)
    assert (content.body, content.template is None) == ("Ada", False)


def test_white_space_is_one_space() -> None:
    content = render_content(approved(), "whatsapp", {**DATA, "name": " a \n\t b     c "})
    assert isinstance(content, TextContent)
    assert content.template is not None
    assert content.template.parameters[0] == "A B C"


@pytest.mark.parametrize("value", ["", " ", "\n\t"])
def test_nothing_is_no_value(value: str) -> None:
    with pytest.raises(EmptyContent) as refusal:
        render_content(approved(), "whatsapp", {**DATA, "name": value})
    assert refusal.value.field == "provider_template.parameters.0"


def test_a_value_has_its_bound_after_its_white_space_is_gone() -> None:
    made = approved(header=("{{ name }}",))
    render_content(made, "whatsapp", {**DATA, "name": "x" * 1_024 + " " * 500})
    with pytest.raises(OutputTooLarge) as refusal:
        render_content(made, "whatsapp", {**DATA, "name": "x" * 1_025})
    assert refusal.value.field == "provider_template.header.0"


def test_missing_variables_are_told_as_ever() -> None:
    with pytest.raises(MissingVariables) as refusal:
        render_content(approved(), "whatsapp", {"name": "Ada"})
    assert refusal.value.names == ("total", "id")


def test_an_optional_one_that_is_missing_leaves_nothing() -> None:
    made = approved(optional=("id",))
    content = render_content(made, "whatsapp", {"name": "Ada", "total": 1})
    assert isinstance(content, TextContent)
    assert content.template is not None
    assert content.template.buttons["0"] == "a/"


def test_two_that_differ_in_a_value_alone_are_told_apart() -> None:
    for ends in ("x", "y"):
        content = render_content(approved(buttons={"0": ends}), "whatsapp", DATA)
        assert isinstance(content, TextContent)
        assert content.template is not None
        assert content.template.buttons == {"0": ends}


def test_it_is_checked_with_line_and_column() -> None:
    made = approved(parameters=("{{ name }}", "two\n{{ other }} {{ total }}"))
    (problem,) = check_version(made, "whatsapp")
    assert (problem.code, problem.field) == (
        "undeclared_variable",
        "provider_template.parameters.1",
    )
    assert (problem.line, problem.column) == (2, 4)
    assert check_version(approved(), "whatsapp") == ()
    with pytest.raises(BrokenTemplate):
        render_content(approved(header=("{{",)), "whatsapp", DATA)


def test_what_it_uses_is_used() -> None:
    assert lint_version(approved(optional=("id",)), "whatsapp") == ()
    unused = check_version(approved(buttons={}), "whatsapp")
    assert [problem.message for problem in unused] == ["id is required, and used nowhere."]


def test_a_version_without_one_has_no_values() -> None:
    assert list(provider_values(version("x"))) == []
