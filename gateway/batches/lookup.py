"""What the notifications of a bulk request depend on, fetched for all of them at once."""

from collections.abc import Mapping, Sequence

from carillon.clients.http import ServiceDown
from carillon.clients.record_batches import get_suppressed, get_users
from carillon.contracts.records import PolicyRecord, TemplateRecord, UserRecord
from carillon.record_cache import POLICY
from gateway.connections import policies, suppressions, templates, users
from gateway.notifications.asked import Asked
from gateway.notifications.bodies import NotificationBody
from gateway.notifications.errors import (
    TemplateNotFound,
    TemplateServiceUnavailable,
    TemplateTypeMismatch,
    UserServiceUnavailable,
)
from gateway.notifications.lookup import Lookup
from gateway.notifications.recipients import Recipient


class BatchLookup(Lookup, frozen=True, kw_only=True):
    """Answers from what was fetched; never asks again."""

    template: None = None
    user: None = None
    found_template: TemplateRecord | None
    found_policy: PolicyRecord
    found_users: Mapping[str, UserRecord | None]
    suppressed: frozenset[str]

    def get_template(self, code: str) -> TemplateRecord:
        """Raises TemplateNotFound."""
        if self.found_template is None:
            raise TemplateNotFound(code)
        return self.found_template

    def find_user(self, user_id: str) -> UserRecord | None:
        """None where there is no such user."""
        return self.found_users.get(user_id)

    def get_policy(self) -> PolicyRecord:
        """What the organization decided for everybody."""
        return self.found_policy

    def is_suppressed(self, direct: Recipient) -> bool:
        """Whether nothing is sent to an address."""
        return direct.is_suppressible and direct.addresses[0].value in self.suppressed


def find_template(organization_id: str, shared: NotificationBody) -> TemplateRecord | None:
    """The template that all recipients share; None for inline content.

    Raises TemplateNotFound, TemplateTypeMismatch or TemplateServiceUnavailable.
    """
    if shared.content is not None:
        return None
    try:
        found = templates().get(organization_id, shared.template_code)
    except ServiceDown:
        raise TemplateServiceUnavailable from None
    if found is None:
        raise TemplateNotFound(shared.template_code)
    if found.type != shared.notification_type:
        raise TemplateTypeMismatch(found.type, shared.notification_type)
    return found


def look_up_all(
    organization_id: str,
    shared: NotificationBody,
    template: TemplateRecord | None,
    asked: Sequence[Asked],
) -> BatchLookup:
    """All users and addresses that `asked` name. Raises UserServiceUnavailable.

    Where one of them cannot be looked up, none is answered for: the client repeats the request as
    it is, rather than picking out who was left.
    """
    user_ids = dict.fromkeys(each.body.user_id for each in asked if each.body.user_id)
    addresses = dict.fromkeys(
        each.direct.addresses[0].value
        for each in asked
        if each.direct is not None and each.direct.is_suppressible
    )
    # As for one: not asked for where nothing could have been decided.
    category = shared.category or (template.category if template else "")
    channel = shared.notification_type
    try:
        policy = policies().get(organization_id, POLICY) if user_ids or category else None
        return BatchLookup(
            organization_id=organization_id,
            found_template=template,
            found_policy=policy or PolicyRecord(organization_id=organization_id, revision=0),
            found_users=get_users(users(), organization_id, user_ids),
            suppressed=get_suppressed(suppressions(), organization_id, channel, addresses),
        )
    except ServiceDown:
        raise UserServiceUnavailable from None
