"""Migrations that the version before could not live with.

While a release rolls out, the old version's processes run beside the new one's, on the new one's
tables; after a roll-back they run there alone. So a migration only adds: what is removed is first
left unused for a release. And no migration may lock a big table while it is written to.

A migration that must break this says so in an attribute, for a reader to weigh:
`breaks_previous_version = "why nobody is harmed"`.
"""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import django
from django.apps import apps
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED

from deploy.local.paths import ROOT

EXEMPTION = "breaks_previous_version"
# The old code still reads or writes what these take away or change the meaning of.
TAKES_AWAY = (
    operations.RemoveField,
    operations.RenameField,
    operations.DeleteModel,
    operations.RenameModel,
    operations.AlterModelTable,
    operations.AlterField,
)
# What a bare statement may not do to a table that is there.
LOCKING_INDEX = re.compile(r"create (unique )?index (?!concurrently)")
STATEMENTS = ("drop table", "drop column", "rename", "set not null", "alter column", "truncate")


def main(arguments: list[str]) -> int:
    """`SERVICE` names the project; prints each problem and gives 1 if there is any."""
    (service,) = arguments
    sys.path.insert(0, str(ROOT))
    os.environ["DJANGO_SETTINGS_MODULE"] = f"{service}.settings"
    django.setup()
    ours = {config.label for config in apps.get_app_configs() if _is_ours(config.name)}
    loader = MigrationLoader(None)
    found = [
        f"{app}/{name}: {problem}"
        for (app, name), migration in sorted(loader.disk_migrations.items())
        if app in ours
        for problem in problems(migration, loader.project_state((app, name), at_end=False))
    ]
    print("\n".join(found) or f"{service}: every migration suits the version before it")
    return min(len(found), 1)


def problems(migration: Migration, before: ProjectState | None = None) -> Iterator[str]:
    """What the version before could not live with; nothing where the migration says why.

    `before` has the models as they were: a field that only its Python side changes is let pass.
    """
    if getattr(migration, EXEMPTION, ""):
        return
    new = {
        operation.name_lower
        for operation in migration.operations
        if isinstance(operation, operations.CreateModel)
    }
    for operation in _flat(migration.operations):
        table = getattr(operation, "model_name_lower", getattr(operation, "name_lower", ""))
        if table not in new and not _changes_no_column(operation, migration.app_label, before):
            yield from _problems(operation)


def _changes_no_column(operation: Any, app: str, before: ProjectState | None) -> bool:
    """True for choices, help texts and the like, and for a text that may be longer."""
    if not isinstance(operation, operations.AlterField) or before is None:
        return False
    model = before.models.get((app, operation.model_name_lower))
    former = model.fields.get(operation.name) if model else None
    if former is None:
        return False
    old, new = _column(former), _column(operation.field)
    if isinstance(operation.field, models.CharField) and old[0] == new[0]:
        longer = (new[1].pop("max_length") or 0) >= (old[1].pop("max_length") or 0)
        return longer and old == new
    return old == new


def _column(field: "models.Field[Any, Any]") -> tuple[str, dict[str, Any]]:
    """The field's kind, and what of it the database sees."""
    _, path, _, options = field.deconstruct()
    # Python's default: Django gives the column none.
    ignored = {*field.non_db_attrs, "default"}
    return path, {name: value for name, value in options.items() if name not in ignored}


def _problems(operation: Any) -> Iterator[str]:
    said = operation.describe() if hasattr(operation, "describe") else str(operation)
    if isinstance(operation, TAKES_AWAY):
        yield f"{said}: the version before still uses it as it was"
    elif isinstance(operation, operations.AddField):
        field = operation.field
        if not field.null and field.db_default is NOT_PROVIDED and not field.many_to_many:
            yield f"{said}: the version before inserts without it; it needs null or db_default"
    elif isinstance(operation, AddIndexConcurrently | RemoveIndexConcurrently):
        return
    elif isinstance(operation, operations.AddIndex | operations.RemoveIndex):
        yield f"{said}: locks the table's writers; there is {type(operation).__name__}Concurrently"
    elif isinstance(operation, operations.AddConstraint):
        yield f"{said}: checks the whole table under a lock, and the version before may violate it"
    elif isinstance(operation, operations.RunSQL):
        yield from (f"{said}: {problem}" for problem in _problems_in_sql(str(operation.sql)))


def _problems_in_sql(sql: str) -> Iterator[str]:
    text = sql.lower()
    yield from (f"{statement!r} in its SQL" for statement in STATEMENTS if statement in text)
    if LOCKING_INDEX.search(text):
        yield "create an index concurrently"


def _flat(chosen: Sequence[Any]) -> Iterator[Any]:
    for operation in chosen:
        if isinstance(operation, operations.SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        else:
            yield operation


def _is_ours(name: str) -> bool:
    return (ROOT / name.replace(".", "/")).is_dir()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
