"""Schemas from msgspec types, in the form that the documentation pages show best."""

from typing import Annotated

import msgspec

from carillon.web.errors import NotFound
from carillon.web.openapi import error_answers, schema_of


class ThingNotFound(NotFound):
    code = "thing_not_found"
    message = "There is no such thing."


class Thing(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(max_length=5, description="Its name.")] | None = None
    size: int | str | None = None
    inner: "Thing | None" = None


def test_a_nullable_field_keeps_its_description_beside_its_types() -> None:
    properties = schema_of(Thing)["properties"]
    assert properties["name"] == {
        "type": ["string", "null"],
        "maxLength": 5,
        "description": "Its name.",
        "default": None,
    }


def test_a_field_of_several_types_lists_them() -> None:
    assert len(schema_of(Thing)["properties"]["size"]["anyOf"]) == 3


def test_a_recursive_type_ends() -> None:
    assert schema_of(Thing)["properties"]["inner"]["type"] == ["object", "null"]


def test_a_pattern_is_in_the_dialect_of_json_schema() -> None:
    code = Annotated[str, msgspec.Meta(pattern=r"^[a-z]+\Z")]
    assert schema_of(code)["pattern"] == "^[a-z]+$"


def test_errors_of_one_status_are_told_together_with_an_example_each() -> None:
    answers = error_answers(
        (404, ThingNotFound.code), (404, "not_found"), (409, "a code of no class")
    )
    assert set(answers) == {404, 409}
    examples = {example.name: example.value for example in answers[404].examples}
    assert set(examples) == {"thing_not_found", "not_found"}
    assert examples["thing_not_found"]["error"] == "thing_not_found"
    assert examples["thing_not_found"]["message"] == "There is no such thing."
    assert examples["thing_not_found"]["success"] is False
    assert answers[409].examples[0].value["error"] == "a code of no class"
