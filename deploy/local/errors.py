"""The failures of the local stack, each with what to do about it."""


class StackError(Exception):
    """The stack cannot go on; the message says why and what to do, for a person to read."""


class StopRequested(BaseException):
    """Ctrl-C, SIGTERM or SIGHUP: unwinds to the place that ends what was started.

    Not an Exception, so that nothing on the way takes it for a failure to be handled.
    """
