"""The sandbox provider: delivers nothing, and fails on request, for test keys and drills."""

from carillon.contracts.ids import new_uuid
from carillon.contracts.messages import Address, DeliveryJob
from carillon.contracts.provider import Acceptance, Capabilities
from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure
from carillon.settings import Environment

SIMULATOR_DOMAIN = "simulator.carillon.test"

TEMPORARY = "temp-fail"
PERMANENT = "perm-fail"
BOUNCE = "bounce"

# Numbers that Ofcom keeps for drama (07700 900000-900999); GOV.UK Notify simulates with the same.
_NUMBERS = {
    "07700900003": TEMPORARY,
    "+447700900003": TEMPORARY,
    "07700900002": PERMANENT,
    "+447700900002": PERMANENT,
}


class SandboxProvider:
    """Accepts every message but those to the magic recipients.

    `temp-fail@`, `perm-fail@` and `bounce@simulator.carillon.test`; 07700900003 (temporary) and
    07700900002 (permanent), also as +44…; device tokens that begin with the same words.
    """

    name = "sandbox"
    receipts = False
    capabilities = Capabilities()

    @classmethod
    def from_environment(cls, _env: Environment) -> "SandboxProvider":
        """It has no settings."""
        return cls()

    def send(self, job: DeliveryJob) -> Acceptance:
        """Raises what the first magic recipient asks for."""
        for address in job.addresses:
            failure = _failure(_wish(job.channel, address))
            if failure is not None:
                raise failure
        return Acceptance(f"sandbox_{new_uuid().hex}")

    def close(self) -> None:
        """Nothing to release."""


def _wish(channel: str, address: Address) -> str:
    value = address.value.strip().lower()
    local, _, domain = value.partition("@")
    if domain == SIMULATOR_DOMAIN:
        return local
    if channel == "push":
        return next((w for w in (TEMPORARY, PERMANENT, BOUNCE) if value.startswith(w)), "")
    return _NUMBERS.get(value, "")


def _failure(wish: str) -> DeliveryFailure | None:
    if wish == TEMPORARY:
        return TemporaryFailure("The simulator fails temporarily.", code="simulated")
    if wish == PERMANENT:
        return PermanentFailure(
            "The simulator fails permanently.", reason=Reason.OTHER, code="simulated"
        )
    if wish == BOUNCE:
        return PermanentFailure(
            "The simulator bounces the message.", reason=Reason.BOUNCED, code="simulated"
        )
    return None
