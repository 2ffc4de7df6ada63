"""What it means for a mail, or for whoever asked, that the server went away."""

from carillon.errors import Reason, TemporaryFailure


class ConnectionLost(Exception):
    """The server closed the connection before any of the mail was sent: nothing was accepted."""


def hung_up(lost: ConnectionLost | None = None) -> TemporaryFailure:
    """What a closed connection is to whoever asked, where no other one is tried."""
    failure = TemporaryFailure(
        "The mail server closed the connection.",
        reason=Reason.PROVIDER_UNAVAILABLE,
        code=str(lost or ""),
    )
    failure.__cause__ = lost
    return failure


def loss_of(error: Exception) -> ConnectionLost | TemporaryFailure:
    """A closed connection is worth a new one at once; a silent server no second wait."""
    if lost_reason(error) is not Reason.TIMED_OUT:
        return ConnectionLost(type(error).__name__)
    return TemporaryFailure(
        "The mail server did not answer in time.", reason=Reason.TIMED_OUT, code="timeout"
    )


def lost_reason(error: Exception) -> Reason:
    """Whether it was silent, or is gone."""
    timed_out = isinstance(error, TimeoutError) or "timed out" in str(error)
    return Reason.TIMED_OUT if timed_out else Reason.PROVIDER_UNAVAILABLE
