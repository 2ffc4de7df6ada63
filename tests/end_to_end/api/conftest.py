"""Organizations for the walks over every route: one that owns, one that looks."""

import pytest

from tests.end_to_end.api.description import Operation, operations
from tests.end_to_end.api.objects import make_objects
from tests.end_to_end.stack import Stack, Tenant


@pytest.fixture(scope="module")
def routes(stack: Stack) -> list[Operation]:
    """Every operation of the gateway."""
    return operations(stack)


@pytest.fixture(scope="module")
def owner(stack: Stack) -> Tenant:
    """Whose objects they are."""
    return stack.new_tenant("--plan", "enterprise")


@pytest.fixture(scope="module")
def owned(owner: Tenant) -> dict[str, str]:
    """An object of each kind."""
    return make_objects(owner)


@pytest.fixture(scope="module")
def stranger(stack: Stack) -> Tenant:
    """Another organization, with nothing of its own."""
    return stack.new_tenant("--plan", "enterprise")
