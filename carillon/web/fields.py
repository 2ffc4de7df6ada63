"""Model fields shared by the services."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models

from carillon.contracts import ids


class PrefixedIDField(models.UUIDField[str, str]):
    """A UUIDv7 in the database (16 bytes), `prefix_<hex>` in Python.

    A new object gets its id at once. Assigning or querying text that is not such an id raises
    ValidationError; `carillon.contracts.ids.parse_id` tells beforehand.
    """

    def __init__(self, prefix: str, **options: Any) -> None:
        self.prefix = prefix
        if options.get("primary_key"):
            options.setdefault("default", self._new)
            options.setdefault("editable", False)
        super().__init__(**options)

    def _new(self) -> str:
        return ids.new_id(self.prefix)

    def deconstruct(self) -> Any:
        """Migrations name the prefix; the default is the field's own affair."""
        name, path, args, options = super().deconstruct()
        if self.primary_key:
            options.pop("default", None)
            options.pop("editable", None)
        return name, path, [self.prefix, *args], options

    def from_db_value(self, value: UUID | None, *_args: object) -> str | None:
        """The public form."""
        return None if value is None else ids.format_id(self.prefix, value)

    def to_python(self, value: Any) -> Any:
        """Accepts the public form and a UUID; gives the public form. Raises ValidationError."""
        if value is None:
            return None
        if isinstance(value, UUID):
            return ids.format_id(self.prefix, value)
        if ids.parse_id(self.prefix, str(value)) is None:
            raise ValidationError(f"{value!r} is not a {self.prefix}_… id", code="invalid")
        return str(value)

    def get_prep_value(self, value: Any) -> Any:
        """The UUID to store. Raises ValidationError."""
        text = self.to_python(value)
        return None if text is None else ids.parse_id(self.prefix, text)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """psycopg takes UUIDs as they are."""
        return value if prepared else self.get_prep_value(value)

    def value_to_string(self, obj: models.Model) -> str:
        """For serialization: the public form."""
        return str(self.value_from_object(obj))
