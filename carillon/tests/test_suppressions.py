"""The digest by which a suppressed address is known."""

from carillon.contracts.suppressions import address_digest


def test_it_is_the_same_in_any_case_and_differs_by_organization_and_channel() -> None:
    digest = address_digest("org_1", "email", "jane@example.com")
    assert len(digest) == 32
    assert digest == address_digest("org_1", "email", "JANE@Example.com")
    others = {
        address_digest("org_2", "email", "jane@example.com"),
        address_digest("org_1", "sms", "jane@example.com"),
        address_digest("org_1", "email", "joe@example.com"),
    }
    assert len(others | {digest}) == 4


def test_it_does_not_change_between_releases() -> None:
    """Rows and cache entries are found by it."""
    digest = address_digest("org_1", "email", "jane@example.com").hex()
    assert digest == "daae2ea4144e91a5556b92b34fce82a4dfbb0120a4b7eb7e6e92913eb1e67246"
