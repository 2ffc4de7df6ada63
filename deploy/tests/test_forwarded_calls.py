"""What of a service's OpenAPI the gateway is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy import forwarded_calls
from deploy.forwarded_calls import main, public_calls, text_of

ANSWER = {"description": "The thing", "content": {"application/json": {"schema": {}}}}


def error(*codes: str) -> dict[str, Any]:
    examples = {
        code: {"value": {"success": False, "error": code, "message": f"Not {code}."}}
        for code in codes
    }
    return {"content": {"application/json": {"schema": {}, "examples": examples}}}


OPERATION = {
    "operationId": "get_thing",
    "summary": "Fetch a thing",
    "tags": ["things"],
    "security": [{"InternalSecret": []}],
    "responses": {
        "200": ANSWER,
        "400": error("missing_organization", "validation_error"),
        "401": error("authentication_required"),
    },
}
SCHEMA = {"paths": {"/api/v1/things/{id}/": {"get": OPERATION}, "/internal/x/": {"get": OPERATION}}}


def test_public_calls_are_told_without_what_is_between_us() -> None:
    assert public_calls(SCHEMA) == {
        "GET /api/v1/things/{id}/": {
            "operationId": "get_thing",
            "summary": "Fetch a thing",
            "tags": ["things"],
            "answers": {"200": ANSWER},
            "errors": [
                {
                    "status": 400,
                    "code": "validation_error",
                    "message": "Not validation_error.",
                    "details": {},
                }
            ],
        }
    }


def test_the_text_has_a_line_for_each_call() -> None:
    calls = {"GET /a/": {"x": "é"}, "POST /a/": {}}
    assert json.loads(text_of(calls)) == calls
    assert text_of(calls).splitlines()[1:-1] == ['"GET /a/": {"x":"é"},', '"POST /a/": {}']


def test_the_check_names_what_is_outdated_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(forwarded_calls, "ROOT", tmp_path)
    monkeypatch.setattr(forwarded_calls, "FOLDER", tmp_path)
    monkeypatch.setattr(forwarded_calls, "described", lambda service: f"{service} now\n")
    (tmp_path / "user_service.json").write_text("user_service now\n")
    (tmp_path / "template_service.json").write_text("template_service once\n")
    assert main(["--check"]) == 1
    assert "template_service.json is not what" in capsys.readouterr().err
    assert (tmp_path / "template_service.json").read_text() == "template_service once\n"
    assert main([]) == 0
    assert main(["--check"]) == 0
    assert main(["--other"]) == 64
