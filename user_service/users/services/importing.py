"""Imports users in bulk: hundreds in a transaction of a dozen queries.

A line with an external id changes the user who has it, or creates one; a line without creates
one. Lines are judged in order, each on its own. Where a transaction as a whole meets a user that
came meanwhile, its lines are done again one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from msgspec import UNSET

from carillon.web.errors import ApiError
from carillon.web.tenants.models import Organization
from carillon.web.tenants.services import require_organization
from user_service.json_lines import Line, LineResult
from user_service.locks import hold_names
from user_service.policies.selectors import policy_of
from user_service.suppressions.selectors import Place
from user_service.users.bodies import ImportedUserBody, PreferencesBody
from user_service.users.history import Said, Source, change_since
from user_service.users.models import PreferenceChange, User
from user_service.users.records import places_of
from user_service.users.rules import check_imported_user
from user_service.users.selectors import users_having
from user_service.users.services.applying import apply_body, apply_preferences
from user_service.users.services.changes import (
    UserExists,
    announce,
    changing_users,
    lock_users,
    owning,
    renumber,
)
from user_service.users.services.devices import move_push_tokens
from user_service.users.services.former_addresses import remember_places
from user_service.users.services.users import names_to_hold

TOGETHER = 500

_COLUMNS = (
    *("external_id", "email", "name", "phone_number", "language", "timezone"),
    *("attributes", "preferences", "categories", "quiet_hours"),
)


def import_users(organization_id: str, lines: Sequence[Line]) -> list[LineResult]:
    """What became of each line, in order. Raises OrganizationNotFound."""
    organization = require_organization(organization_id)
    results: list[LineResult] = []
    for start in range(0, len(lines), TOGETHER):
        chunk = [_read(line) for line in lines[start : start + TOGETHER]]
        try:
            results += _import_together(organization, chunk)
        except UserExists:
            for asked in chunk:
                results += _import_alone(organization, asked)
    return results


@dataclass(frozen=True, slots=True)
class _Asked:
    """A line, and what it asks for or why it cannot."""

    line: Line
    body: ImportedUserBody | None = None
    problem: ApiError | None = None


def _read(line: Line) -> _Asked:
    try:
        return _Asked(line, body=check_imported_user(line.read_as(ImportedUserBody)))
    except ApiError as error:
        return _Asked(line, problem=error)


def _import_alone(organization: Organization, asked: _Asked) -> list[LineResult]:
    try:
        return _import_together(organization, [asked])
    except UserExists as error:
        return [LineResult.refused(asked.line, error)]


def _import_together(organization: Organization, chunk: Sequence[_Asked]) -> list[LineResult]:
    """Raises UserExists where somebody else came first."""
    with changing_users():
        users = _Users(organization, [asked.body for asked in chunk if asked.body])
        results = [_import_one(users, asked) for asked in chunk]
        users.save()
    return results


def _import_one(users: "_Users", asked: _Asked) -> LineResult:
    if asked.body is None:
        return LineResult.refused(asked.line, asked.problem or ApiError())
    try:
        user, is_new = users.change(asked.body)
    except ApiError as error:
        return LineResult.refused(asked.line, error)
    outcome = "created" if is_new else "updated"
    return LineResult(line=asked.line.number, outcome=outcome, id=user.id)


class _Users:
    """The users of some lines, locked, changed in memory and saved together."""

    def __init__(self, organization: Organization, bodies: Sequence[ImportedUserBody]) -> None:
        self._organization = organization
        self._policy = policy_of(organization.id)
        hold_names(organization.id, {name for body in bodies for name in names_to_hold(body)})
        external_ids = [body.external_id for body in bodies if body.external_id]
        tokens = [body.push_token for body in bodies if body.push_token]
        emails = [body.email for body in bodies if body.email]
        self._locked = lock_users(
            organization.id,
            (Q(external_id__in=external_ids) & ~Q(external_id=""))
            | owning(organization.id, tokens),
        )
        self._by_external_id = {user.external_id: user for user in self._locked}
        # Whose an email is, in lower case: by those who are stored, then by the lines so far.
        having = users_having(organization.id, emails).exclude(email="")
        self._owners = {email.lower(): owner for email, owner in having.values_list("email", "id")}
        self._new: dict[str, User] = {}
        self._changed: dict[str, User] = {}
        self._said: dict[str, Said] = {}
        self._tokens: list[tuple[User, str | None]] = []
        self._lost: list[tuple[User, set[Place]]] = []

    def change(self, body: ImportedUserBody) -> tuple[User, bool]:
        """The user that `body` means, changed, and whether it is new.

        Raises UserExists or ValidationFailed and leaves everybody as they were.
        """
        user = self._by_external_id.get(body.external_id) if body.external_id else None
        is_new = user is None
        user = user or User(organization=self._organization)
        if body.email and self._owners.get(body.email.lower(), user.id) != user.id:
            raise UserExists("email")
        said, former_email, places = Said.by(user), user.email, set(places_of(user))
        self._apply(user, body)
        if not is_new:
            self._lost.append((user, places - set(places_of(user))))
        if user.email != former_email:
            self._owners.pop(former_email.lower(), None)
        if user.email:
            self._owners[user.email.lower()] = user.id
        if user.external_id:
            self._by_external_id[user.external_id] = user
        if body.push_token is not UNSET:
            self._tokens.append((user, body.push_token))
        self._said.setdefault(user.id, said)
        (self._new if is_new or user.id in self._new else self._changed)[user.id] = user
        return user, is_new

    def _apply(self, user: User, body: ImportedUserBody) -> None:
        before = {column: getattr(user, column) for column in _COLUMNS}
        wishes = PreferencesBody(categories=body.categories, quiet_hours=body.quiet_hours)
        try:
            apply_body(user, body, password_hash="")
            apply_preferences(user, wishes, self._policy)
        except ApiError:
            for column, value in before.items():
                setattr(user, column, value)
            raise

    def save(self) -> None:
        """Everything that was changed; the cache is told once it is committed."""
        User.objects.bulk_create(self._new.values())
        User.objects.bulk_create(
            self._changed.values(),
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=[*_COLUMNS, "updated_at"],
        )
        users = {**self._new, **self._changed}
        remember_places(self._lost)
        moved = move_push_tokens(self._organization.id, self._tokens)
        robbed = [user for user in self._locked if user.id in moved and user.id not in users]
        renumber([*users.values(), *robbed])
        PreferenceChange.objects.bulk_create(
            change
            for user in users.values()
            if (change := change_since(self._said[user.id], user, Source.IMPORT))
        )
        announce(list(users.values()), "imported")
        announce(robbed, "device_moved")
