"""Reads."""

import msgspec

from carillon.contracts.records import PolicyRecord
from carillon.web.errors import NotFound
from user_service.policies.categories import Category, built_in
from user_service.policies.models import Policy


class CategoryNotFound(NotFound):
    """No such category in this organization."""

    code = "category_not_found"
    message = "This organization has no such category."


def policy_of(organization_id: str) -> PolicyRecord:
    """In one query. An organization that decided nothing has the defaults, of revision 0."""
    policy = Policy.objects.filter(organization_id=organization_id).first()
    return policy_record(policy or Policy(organization_id=organization_id, revision=0))


def policy_record(policy: Policy) -> PolicyRecord:
    """The policy as everybody else needs it, with the built-in categories."""
    return PolicyRecord(
        organization_id=policy.organization_id,
        revision=policy.revision,
        preferences=policy.preferences,
        categories={code: category.policy() for code, category in all_categories(policy).items()},
    )


def categories_of(organization_id: str) -> dict[str, Category]:
    """Every category by its code: the built-in ones as far as nothing else was decided."""
    policy = Policy.objects.filter(organization_id=organization_id).first()
    return all_categories(policy) if policy else built_in()


def find_category(organization_id: str, code: str) -> Category:
    """Raises CategoryNotFound."""
    category = categories_of(organization_id).get(code)
    if category is None:
        raise CategoryNotFound
    return category


def all_categories(policy: Policy) -> dict[str, Category]:
    """Built-in and decided, by code."""
    return {**built_in(), **decided_categories(policy)}


def decided_categories(policy: Policy) -> dict[str, Category]:
    """What the organization decided, by code."""
    return msgspec.convert(policy.categories, dict[str, Category])
