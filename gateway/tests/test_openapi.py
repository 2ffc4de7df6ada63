"""The API's description: complete, without warnings, with examples that are true."""

from typing import Any

import jsonschema_rs
import msgspec
import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post", "put", "patch", "delete")
# Called by those who have no key yet.
KEYLESS = {"POST /api/v1/organizations/register/"}


@pytest.fixture(scope="module")
def schema() -> Any:
    GENERATOR_STATS.reset()
    generator: Any = SchemaGenerator
    generated = generator().get_schema(request=None, public=True)
    assert not GENERATOR_STATS, "drf-spectacular warned; see above"
    return msgspec.to_builtins(generated, enc_hook=str)


def operations(schema: Any) -> list[tuple[str, Any]]:
    return [
        (f"{method.upper()} {path}", item[method])
        for path, item in schema["paths"].items()
        for method in METHODS
        if method in item
    ]


def test_every_operation_is_named_described_and_needs_a_key(schema: Any) -> None:
    found = operations(schema)
    assert len(found) >= 30
    names = [operation["operationId"] for _, operation in found]
    assert len(names) == len(set(names))
    for where, operation in found:
        assert operation["summary"], where
        assert operation["description"], where
        expected: object = None if where in KEYLESS else [{"APIKey": []}]
        assert operation.get("security") == expected, where
    scheme = schema["components"]["securitySchemes"]["APIKey"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "X-API-Key")


def test_every_answer_has_an_example_in_its_envelope(schema: Any) -> None:
    for where, operation in operations(schema):
        refused = {"403", "429"} if where in KEYLESS else {"401", "403", "429"}
        assert refused <= set(operation["responses"]), where
        for status, response in operation["responses"].items():
            examples = response["content"]["application/json"]["examples"]
            assert examples, (where, status)
            for example in examples.values():
                value = example["value"]
                assert value["success"] is (int(status) < 400), (where, status)
                assert value["message"], (where, status)
                assert ("data" in value) is (int(status) < 400), (where, status)


def test_every_body_has_an_example(schema: Any) -> None:
    for where, operation in operations(schema):
        if "requestBody" in operation:
            for media, content in operation["requestBody"]["content"].items():
                assert media in {"application/json", "application/x-ndjson"}, where
                assert content["examples"], where


def test_every_call_with_a_body_says_what_is_wrong_with_a_bad_one(schema: Any) -> None:
    for where, operation in operations(schema):
        if "requestBody" in operation:
            assert {"400", "413"} <= set(operation["responses"]), where
            assert "invalid_json" in operation["responses"]["400"]["description"], where


def test_every_example_is_of_the_schema_beside_it(schema: Any) -> None:
    checked = 0
    for where, operation in operations(schema):
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for told in (*bodies, *operation["responses"].values()):
            for media, content in told["content"].items():
                if media != "application/json":
                    continue
                whole = {**content["schema"], "components": schema["components"]}
                validator = jsonschema_rs.validator_for(whole)
                for name, example in content["examples"].items():
                    wrong = [error.message for error in validator.iter_errors(example["value"])]
                    assert wrong == [], (where, name)
                    checked += 1
    assert checked >= 300


def test_every_tag_is_told_of_in_the_order_of_the_pages(schema: Any) -> None:
    told = [tag["name"] for tag in schema["tags"]]
    used = {tag for _, operation in operations(schema) for tag in operation["tags"]}
    assert used == set(told)
    assert all(tag["description"] for tag in schema["tags"])
    assert (told[0], told[-1]) == ("notifications", "organization")
    for where, operation in operations(schema):
        assert len(operation["tags"]) == 1, where


def test_every_parameter_is_described_and_has_a_type(schema: Any) -> None:
    for where, operation in operations(schema):
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (where, parameter["name"])
            assert parameter["schema"]["type"], (where, parameter["name"])


def test_every_path_parameter_is_described(schema: Any) -> None:
    for where, operation in operations(schema):
        described = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert described == {
            part.strip("{}") for part in where.split("/") if part.startswith("{")
        }, where


def test_the_errors_of_creating_are_designs(schema: Any) -> None:
    responses = schema["paths"]["/api/v1/notifications/"]["post"]["responses"]
    codes = {
        (int(status), code)
        for status, response in responses.items()
        for code in (
            example["value"].get("error")
            for example in response["content"]["application/json"]["examples"].values()
        )
        if code
    }
    assert codes == {
        (401, "authentication_required"),
        (401, "invalid_api_key"),
        (403, "organization_inactive"),
        (403, "organization_mismatch"),
        (403, "insufficient_scope"),
        (429, "rate_limit_exceeded"),
        (413, "payload_too_large"),
        (400, "invalid_json"),
        (400, "missing_fields"),
        (400, "validation_error"),
        (409, "request_in_progress"),
        (422, "request_id_conflict"),
        (404, "template_not_found"),
        (400, "template_type_mismatch"),
        (400, "missing_variables"),
        (404, "user_not_found"),
        (400, "no_address"),
        (429, "quota_exceeded"),
        (503, "service_unavailable"),
        (503, "user_service_unavailable"),
        (503, "template_service_unavailable"),
    }


@pytest.mark.parametrize("path", ["/api/docs/", "/api/redoc/"])
def test_the_pages_load_nothing_from_elsewhere(path: str) -> None:
    page = Client().get(path).content.decode()
    assert "https://" not in page.replace("https://carillon", "")
