"""A request's body on its way to a service: never more of it in memory than an ordinary one has."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from rest_framework.request import Request

from carillon.web.bodies import BODY_LIMIT, body_length
from carillon.web.errors import InvalidJSON

_CHUNK_BYTES = 65_536


@contextmanager
def carried(request: Request, limit: int) -> Iterator[bytes | IO[bytes] | None]:
    """The body, or None where there is none. Raises PayloadTooLarge over `limit` bytes.

    A large one waits in a temporary file until it is whole, so that a client that sends slowly
    holds no connection to the service. Raises InvalidJSON for chunks, or if the client broke off.
    """
    length = body_length(request, limit=limit)
    if length <= BODY_LIMIT:
        yield request._request.body or None
        return
    with tempfile.TemporaryFile() as file:
        while length > 0:
            chunk = request._request.read(min(length, _CHUNK_BYTES))
            if not chunk:
                raise InvalidJSON("The body ended before its Content-Length.")
            file.write(chunk)
            length -= len(chunk)
        file.seek(0)
        yield file
