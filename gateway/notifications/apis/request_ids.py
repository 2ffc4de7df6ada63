"""What a client calls its request, so that it can repeat it."""

from rest_framework.request import Request

from carillon.web.errors import ValidationFailed
from gateway.admission.authentication import single_header
from gateway.notifications.bodies import request_id_problem

IDEMPOTENCY_HEADER = "Idempotency-Key"


def request_id_of(request: Request, named: str) -> str:
    """The header's, or what the body `named`; the header may be quoted, as RFC 8941 strings are.

    Raises ValidationFailed.
    """
    header = single_header(request, IDEMPOTENCY_HEADER).strip()
    if len(header) >= 2 and header[0] == header[-1] == '"':
        header = header[1:-1]
    if not header:
        return named
    if not header.isascii() or request_id_problem(header):
        raise ValidationFailed(
            details={IDEMPOTENCY_HEADER: ["Expected up to 128 visible ASCII characters."]}
        )
    if named and named != header:
        raise ValidationFailed(
            details={IDEMPOTENCY_HEADER: ["It differs from the body's request_id: send one."]}
        )
    return header
