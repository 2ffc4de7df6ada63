"""Writes. An organization's policy changes one write at a time, under its row's lock."""

from collections.abc import Callable

import msgspec
from django.db import transaction
from msgspec import UNSET

from carillon.contracts.records import PolicyRecord
from carillon.web.errors import Conflict, ValidationFailed
from carillon.web.revisions import next_revision
from carillon.web.tenants.services import require_organization
from user_service.choices import merge_choices, named_choices
from user_service.policies import cache
from user_service.policies.bodies import (
    CategoryBody,
    CategoryChangeBody,
    DefaultsBody,
    check_change,
    check_code,
)
from user_service.policies.categories import CATEGORIES_MOST, Category, built_in
from user_service.policies.models import Policy
from user_service.policies.selectors import (
    CategoryNotFound,
    all_categories,
    decided_categories,
    policy_record,
)


class CategoryExists(Conflict):
    """The organization has a category of this code."""

    code = "category_exists"
    message = "This organization has a category of this code."


def update_defaults(organization_id: str, body: DefaultsBody) -> PolicyRecord:
    """The policy after the change. Raises OrganizationNotFound."""

    def change(policy: Policy) -> None:
        named = named_choices(body.preferences)
        policy.preferences = merge_choices(policy.preferences, named)

    return policy_record(_changed(organization_id, change))


def create_category(organization_id: str, body: CategoryBody) -> Category:
    """A built-in category can be decided anew too, from what it is.

    Raises ValidationFailed, OrganizationNotFound or CategoryExists.
    """
    check_code(body.code)
    created = _merged(built_in().get(body.code) or Category(), body)

    def change(policy: Policy) -> None:
        categories = decided_categories(policy)
        if body.code in categories:
            raise CategoryExists(details={"code": [CategoryExists.message]})
        if len(categories) >= CATEGORIES_MOST:
            raise ValidationFailed(details={"code": [f"{CATEGORIES_MOST} categories at most."]})
        policy.categories = msgspec.to_builtins({**categories, body.code: created})

    _changed(organization_id, change)
    return created


def update_category(organization_id: str, code: str, body: CategoryChangeBody) -> Category:
    """The category after the change.

    Raises MissingFields, ValidationFailed, OrganizationNotFound or CategoryNotFound.
    """
    check_change(body)
    after: list[Category] = []

    def change(policy: Policy) -> None:
        before = all_categories(policy).get(code)
        if before is None:
            raise CategoryNotFound
        after.append(_merged(before, body))
        categories = {**decided_categories(policy), code: after[0]}
        policy.categories = msgspec.to_builtins(categories)

    _changed(organization_id, change)
    return after[0]


def delete_category(organization_id: str, code: str) -> None:
    """What users said of it stays with them; a built-in category is as it was at first.

    Raises OrganizationNotFound or CategoryNotFound.
    """

    def change(policy: Policy) -> None:
        if policy.categories.pop(code, None) is None:
            raise CategoryNotFound

    _changed(organization_id, change)


def _changed(organization_id: str, change: Callable[[Policy], None]) -> Policy:
    organization = require_organization(organization_id)
    with transaction.atomic():
        Policy.objects.get_or_create(organization=organization)
        policy = Policy.objects.select_for_update().get(organization=organization)
        change(policy)
        policy.revision = next_revision()
        policy.save()
        record = policy_record(policy)
        transaction.on_commit(lambda: cache.keep(record))
    return policy


def _merged(before: Category, body: CategoryChangeBody) -> Category:
    changes: dict[str, object] = {
        field: value
        for field in ("name", "description", "essential", "frequency_cap")
        if (value := getattr(body, field)) is not UNSET
    }
    if body.preferences is not UNSET:
        named = named_choices(body.preferences)
        changes["preferences"] = merge_choices(before.preferences, named)
    after = msgspec.structs.replace(before, **changes)
    if after.essential and after.frequency_cap:
        raise ValidationFailed(details={"frequency_cap": ["What is essential has no cap."]})
    if after.essential and not all(after.preferences.values()):
        raise ValidationFailed(details={"preferences": ["What is essential is on."]})
    return after
