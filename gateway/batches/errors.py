"""Refusals of a bulk request as a whole."""

from collections.abc import Sequence

from carillon.web.errors import ApiError, ServiceUnavailable
from gateway.batches.shapes import Refusal


class BatchNotFound(ApiError):
    """No such batch of this organization."""

    status = 404
    code = "batch_not_found"
    message = "There is no such batch."


class AllRefused(ApiError):
    """Not one recipient could be accepted; `details` say why, of each."""

    status = 400
    code = "all_recipients_refused"
    message = "Every recipient was refused; nothing was stored."

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__(details={"refusals": refusals})


class TooBusy(ServiceUnavailable):
    """Others send bulk requests at this moment."""

    code = "too_busy"
    message = "Other bulk requests are being accepted. Try again shortly."
