"""How long a provider under test waits: for any answer that comes, and not for one that never does.

A busy machine answers late, and that is no failure of the provider's. The time of a call is
therefore short only while its server is silent.
"""

from dataclasses import replace
from typing import Any

# Seconds.
PATIENCE = 60.0
HASTE = 0.3


def wait_at_most(provider: Any, seconds: float) -> None:
    """From now on each call of `provider` waits so long for an answer, by whatever it calls with.

    Providers are told once, when they are made, and offer no public way to change it.
    """
    if hasattr(provider, "_calls"):
        # Amazon's: all connections look into the one object.
        provider._calls.client._endpoint.http_session._timeout._read = seconds
    elif hasattr(provider, "_backend"):
        # Anymail's, and what verifies beside it.
        provider._backend.timeout = (seconds, seconds)
        provider._account = replace(provider._account, timeout=seconds)
    elif hasattr(provider, "_pool"):
        # SMTP: the connections that are opened from now on.
        provider._pool._server = replace(provider._pool._server, timeout=seconds)
    else:
        getattr(provider, "_client", provider)._http._timeout = seconds
