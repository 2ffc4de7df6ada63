"""Request bodies about the callbacks of provider accounts."""

from typing import Annotated

import msgspec
from msgspec import Meta

_Secrets = Annotated[
    dict[Annotated[str, Meta(max_length=50)], Annotated[str, Meta(max_length=1_000)]],
    Meta(
        max_length=5,
        description="What the provider's callbacks are verified with (docs/provider-accounts.md). "
        "Never shown again. `{}` for Twilio, whose credentials verify them.",
    ),
]
_Receipts = Annotated[
    bool,
    Meta(
        description="true once callbacks arrive: from then on the provider's acceptance is `sent`, "
        "until a callback says more."
    ),
]


class AccountCallbacksBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What verifies an account's callbacks, whole: it takes the place of what was set before."""

    secrets: _Secrets
    receipts: _Receipts = False

    def __repr__(self) -> str:
        """Never the secrets."""
        return f"AccountCallbacksBody(receipts={self.receipts})"
