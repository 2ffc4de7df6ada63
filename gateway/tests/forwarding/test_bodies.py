"""Bodies on their way: whole, bounded, and not in memory where they are large."""

import io
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from rest_framework.request import Request

from carillon.web.bodies import BODY_LIMIT
from carillon.web.errors import InvalidJSON, PayloadTooLarge
from gateway.forwarding.bodies import carried

LIMIT = 4 * BODY_LIMIT


def request(body: bytes, length: object = None) -> Request:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": str(len(body) if length is None else length),
        "wsgi.input": io.BytesIO(body),
    }
    return Request(WSGIRequest(environ))


def test_an_ordinary_body_is_bytes_and_an_empty_one_none() -> None:
    with carried(request(b'{"a": 1}'), LIMIT) as body:
        assert body == b'{"a": 1}'
    with carried(request(b""), LIMIT) as body:
        assert body is None


def test_a_large_body_is_a_file_that_is_gone_afterwards() -> None:
    sent = bytes(range(256)) * 10_000
    assert BODY_LIMIT < len(sent) < LIMIT
    with carried(request(sent), LIMIT) as body:
        assert body is not None
        assert not isinstance(body, bytes)
        assert body.read() == sent
    assert body.closed


def test_a_body_that_breaks_off_is_refused() -> None:
    with pytest.raises(InvalidJSON), carried(request(b"x" * 1_500_000, 2_000_000), LIMIT):
        pass


@pytest.mark.parametrize("length", [LIMIT + 1, "-1", "1e3", "many"])
def test_a_length_that_is_too_large_or_none_is_413(length: object) -> None:
    with pytest.raises(PayloadTooLarge), carried(request(b"", length), LIMIT):
        pass


def test_a_body_in_chunks_is_refused() -> None:
    chunked = request(b"")
    chunked.META["HTTP_TRANSFER_ENCODING"] = "chunked"
    with pytest.raises(InvalidJSON), carried(chunked, LIMIT):
        pass
