"""Why a callback is not taken; what is answered tells a forger nothing."""


class CallbackRefused(Exception):
    """A callback that is not taken; the message is for our log alone."""


class Unverified(CallbackRefused):
    """Nobody with the provider's secret said it, or it was said too long ago."""


class Unreadable(CallbackRefused):
    """The provider said it, but it is not what its documentation describes."""


class CannotVerify(CallbackRefused):
    """What it takes to verify it cannot be had at the moment: the provider is to try again."""


class TooLarge(CallbackRefused):
    """More bytes, or more reports, than we take at once."""


class TooMany(CallbackRefused):
    """The organization's accounts report more in a minute than they may."""
