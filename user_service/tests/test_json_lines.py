"""JSON Lines: each line judged on its own, in bounded memory."""

import io

import pytest

from carillon.web.errors import ApiError
from user_service.json_lines import LINE_BYTES, Line, read_lines
from user_service.tests.calls import Api
from user_service.users.bodies import ImportedUserBody


def lines_of(raw: bytes) -> list[Line]:
    return list(read_lines(io.BytesIO(raw).readline))


def test_lines_are_numbered_and_blank_ones_skipped() -> None:
    lines = lines_of(b'{"a": 1}\r\n\n   \n{"b": 2}\n{"c": 3}')
    assert [(line.number, line.value) for line in lines] == [
        (1, {"a": 1}),
        (4, {"b": 2}),
        (5, {"c": 3}),
    ]


def test_an_oversized_line_is_refused_and_the_next_one_read() -> None:
    fits = b'{"a": "' + b"x" * (LINE_BYTES - 9) + b'"}'
    too_long = b'{"a": "' + b"x" * (3 * LINE_BYTES) + b'"}'
    one_more = b'{"a": "' + b"x" * (LINE_BYTES - 8) + b'"}'
    assert (len(fits), len(one_more)) == (LINE_BYTES, LINE_BYTES + 1)
    lines = lines_of(b"\r\n".join([fits, too_long, one_more, b'{"b": 2}', too_long]))
    codes = [line.problem.code if line.problem else "" for line in lines]
    assert codes == ["", "payload_too_large", "payload_too_large", "", "payload_too_large"]
    assert lines[3] == Line(4, {"b": 2})


@pytest.mark.parametrize(
    "raw",
    [
        *(b"{", b"[]", b"1", b"null", b'{"a": 1} {"b": 2}', b'{"a": 1, "a": 2}', b"\xff"),
        *(b'{"a": NaN}', b'{"a": "\\u0000"}', b"[" * 20_000),
    ],
)
def test_what_is_no_object_is_the_lines_own_problem(raw: bytes) -> None:
    first, second = lines_of(raw + b'\n{"b": 2}')
    assert first.problem is not None
    assert first.problem.code == "invalid_json"
    with pytest.raises(ApiError):
        first.read_as(ImportedUserBody)
    assert second.value == {"b": 2}


@pytest.mark.parametrize("path", ["/api/v1/users/import/", "/api/v1/suppressions/import/"])
class TestTheRequest:
    @pytest.mark.parametrize("raw", [b"", b"\n\n", b"  "])
    def test_nothing_is_400(self, path: str, raw: bytes) -> None:
        assert Api().lines(path, raw).error == (400, "invalid_json")

    def test_another_media_type_is_400(self, path: str) -> None:
        assert Api().call("POST", path, b'{"email": "a@example.com"}').error == (
            400,
            "invalid_json",
        )

    def test_too_many_lines_are_413_and_change_nothing(self, path: str) -> None:
        assert Api().lines(path, b"{}\n" * 10_001).error == (413, "payload_too_large")

    def test_too_many_bytes_are_413(self, path: str) -> None:
        raw = (b" " * 30_000 + b"\n") * 700
        assert Api().lines(path, raw).error == (413, "payload_too_large")
