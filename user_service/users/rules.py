"""What a user's fields must be, beyond their types; every mistake of a body is named at once."""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from carillon.contracts import ids
from carillon.web.addresses import InvalidAddress, normalize_email, normalize_phone_number
from carillon.web.errors import MissingFields, ValidationFailed
from carillon.web.locales import InvalidLocale, check_timezone, normalize_language
from user_service.policies.categories import CATEGORIES_MOST, CATEGORY, CATEGORY_RULE
from user_service.users.attributes import Unacceptable, check_attributes
from user_service.users.bodies import DeviceBody, ImportedUserBody, PreferencesBody, UserBody
from user_service.users.models import EXTERNAL_ID_LENGTH
from user_service.users.quiet_hours import InvalidQuietHours, check_windows
from user_service.users.tokens import InvalidToken, Platform, normalize_token

# Only what needs no quoting in a path, or is quoted by every client the same way.
_EXTERNAL_ID = re.compile(rf"[A-Za-z0-9_.:@|+=~-]{{1,{EXTERNAL_ID_LENGTH}}}", re.ASCII)
# Path segments that mean something else: routes of this API, and relative paths.
_RESERVED = frozenset({"batch", "import", ".", ".."})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

User = TypeVar("User", bound=UserBody)
Body = TypeVar("Body", bound=msgspec.Struct)

_REFUSALS = (Unacceptable, InvalidAddress, InvalidLocale, InvalidQuietHours, InvalidToken)


def is_identifier(text: str) -> bool:
    """Whether `text` could name a user; anything else need not be looked up."""
    return _EXTERNAL_ID.fullmatch(text) is not None


def check_new_user(body: User) -> User:
    """`body` in its stored form. Raises MissingFields or ValidationFailed.

    A user needs something to be reached or known by. Reference 003 wants an email; people who
    are only reached by text message or push have none.
    """
    known_by = (body.email, body.phone_number, body.push_token, body.external_id)
    if all(value is UNSET or value is None for value in known_by):
        problem = "Give an email, a phone_number, a push_token or an external_id."
        raise MissingFields("Missing: email.", details={"email": [problem]})
    return check_user(body)


def check_user(body: User) -> User:
    """`body` in its stored form. Raises MissingFields (it is empty) or ValidationFailed."""
    if not _given(body):
        raise MissingFields("Give at least one field to change.")
    return _checked(body)


def check_imported_user(body: ImportedUserBody) -> ImportedUserBody:
    """As `check_new_user`, and without a password: hashing takes a fifth of a second each."""
    if body.password is not UNSET:
        raise ValidationFailed(details={"password": ["Passwords are not imported."]})
    return check_new_user(body)


def check_preferences(body: PreferencesBody) -> PreferencesBody:
    """`body` itself. Raises MissingFields (it is empty) or ValidationFailed."""
    if not _given(body):
        raise MissingFields(
            "Give preferences, categories or quiet_hours.",
            details={"preferences": ["This field is required."]},
        )
    return _checked(body)


def check_device(body: DeviceBody) -> DeviceBody:
    """`body` in its stored form: one token is always written the same. Raises ValidationFailed."""
    try:
        token = normalize_token(body.platform, body.token)
    except InvalidToken as error:
        raise ValidationFailed(details={"token": [str(error)]}) from None
    return msgspec.structs.replace(body, token=token)


def _given(body: msgspec.Struct) -> dict[str, Any]:
    fields = ((name, getattr(body, name)) for name in body.__struct_fields__)
    return {name: value for name, value in fields if value is not UNSET}


def _checked(body: Body) -> Body:
    """Each given value (but null) after its rule. Raises ValidationFailed with all mistakes."""
    changed: dict[str, object] = {}
    wrong: dict[str, list[str]] = {}
    for name, value in _given(body).items():
        rule = _RULES.get(name)
        if rule is None or value is None:
            continue
        try:
            changed[name] = rule(value)
        except _REFUSALS as error:
            wrong[name] = [str(error)]
    if wrong:
        raise ValidationFailed(details=wrong)
    return msgspec.structs.replace(body, **changed)


def _name(text: str) -> str:
    # It is written into the headers of emails.
    if _CONTROL.search(text):
        raise Unacceptable("May have no line breaks and no control characters.")
    return text.strip()


def _external_id(text: str) -> str:
    if not is_identifier(text):
        raise Unacceptable(
            f"Expected 1 to {EXTERNAL_ID_LENGTH} of ASCII letters, digits and _ . : @ | + = ~ -"
        )
    if text in _RESERVED or ids.parse_id(ids.USER, text) is not None:
        raise Unacceptable("This value is reserved: it would be taken for something else.")
    return text


def _categories(change: Mapping[str, object]) -> Mapping[str, object]:
    for category in change:
        if not CATEGORY.fullmatch(category):
            raise Unacceptable(f"A category's name is {CATEGORY_RULE}.")
    if len(change) > CATEGORIES_MOST:
        raise Unacceptable(f"{CATEGORIES_MOST} categories at most.")
    return change


def _quiet_hours(change: msgspec.Struct) -> msgspec.Struct:
    for weekday, windows in msgspec.to_builtins(change).items():
        check_windows(weekday, windows or [])
    return change


_RULES: dict[str, Callable[[Any], object]] = {
    "email": normalize_email,
    "name": _name,
    "external_id": _external_id,
    "phone_number": normalize_phone_number,
    "push_token": functools.partial(normalize_token, Platform.FCM),
    "language": normalize_language,
    "timezone": check_timezone,
    "attributes": check_attributes,
    "categories": _categories,
    "quiet_hours": _quiet_hours,
}
