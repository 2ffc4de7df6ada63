"""Which migrations the version before can live with."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.migrations.state import ModelState, ProjectState
from django.db.models.functions import Now

from deploy.local.linting import SETTINGS
from deploy.local.migrations_check import problems
from deploy.local.paths import ROOT

INDEX = models.Index(fields=["name"], name="thing_name")


def migration(*chosen: Any, **more: Any) -> migrations.Migration:
    """A migration with these operations."""
    made = type("Migration", (migrations.Migration,), {"operations": list(chosen), **more})
    return made("0002_change", "things")  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("thing", "note", models.TextField(null=True)),
        migrations.AddField("thing", "at", models.DateTimeField(db_default=Now())),
        migrations.CreateModel("Other", [("id", models.BigAutoField(primary_key=True))]),
        AddIndexConcurrently("thing", INDEX),
        migrations.RunSQL("CREATE INDEX CONCURRENTLY one ON thing (name)"),
        migrations.RunSQL("UPDATE thing SET name = '' WHERE name IS NULL"),
        migrations.AlterModelOptions("thing", {"ordering": ["name"]}),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_what_only_adds_is_well(operation: Any) -> None:
    assert list(problems(migration(operation))) == []


@pytest.mark.parametrize(
    ("operation", "problem"),
    [
        (migrations.RemoveField("thing", "name"), "still uses it"),
        (migrations.RenameField("thing", "name", "title"), "still uses it"),
        (migrations.RenameModel("Thing", "Other"), "still uses it"),
        (migrations.DeleteModel("Thing"), "still uses it"),
        (migrations.AlterField("thing", "name", models.CharField(max_length=5)), "still uses it"),
        (migrations.AddField("thing", "note", models.TextField(default="")), "db_default"),
        (migrations.AddIndex("thing", INDEX), "AddIndexConcurrently"),
        (migrations.RemoveIndex("thing", "thing_name"), "RemoveIndexConcurrently"),
        (migrations.RunSQL("CREATE UNIQUE INDEX one ON thing (name)"), "concurrently"),
        (migrations.RunSQL("ALTER TABLE thing DROP COLUMN name"), "drop column"),
        (
            migrations.AddConstraint(
                "thing", models.CheckConstraint(condition=models.Q(name="a"), name="only_a")
            ),
            "under a lock",
        ),
        (
            migrations.SeparateDatabaseAndState([migrations.RemoveField("thing", "name")], []),
            "still uses it",
        ),
    ],
    ids=lambda given: type(given).__name__ if not isinstance(given, str) else None,
)
def test_what_the_version_before_stumbles_over_is_refused(operation: Any, problem: str) -> None:
    (found,) = problems(migration(operation))
    assert problem in found


@pytest.mark.parametrize(
    ("field", "is_well"),
    [
        (models.CharField(max_length=40, blank=True, choices=[("a", "A"), ("b", "B")]), True),
        (models.CharField(max_length=80), True),
        (models.CharField(max_length=10), False),
        (models.CharField(max_length=40, null=True), False),
        (models.TextField(), False),
    ],
)
def test_a_field_may_change_where_its_column_does_not(field: Any, is_well: bool) -> None:
    before = ProjectState()
    former: Any = models.CharField(max_length=40)
    before.add_model(ModelState("things", "Thing", [("name", former)]))
    found = list(problems(migration(migrations.AlterField("thing", "name", field)), before))
    assert (found == []) == is_well


def test_a_table_that_is_new_is_nobody_s_yet() -> None:
    made = migrations.CreateModel("Thing", [("id", models.BigAutoField(primary_key=True))])
    assert list(problems(migration(made, migrations.AddIndex("thing", INDEX)))) == []


def test_a_migration_may_say_why_nobody_is_harmed() -> None:
    removed = migrations.RemoveField("thing", "name")
    assert list(problems(migration(removed, breaks_previous_version="unused since 1.4"))) == []
    assert list(problems(migration(removed, breaks_previous_version=""))) != []


def test_our_own_migrations_suit_the_version_before() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "deploy.local.migrations_check", "template_service"],
        cwd=ROOT,
        env={**os.environ, **SETTINGS},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "template_service: every migration suits the version before it" in ran.stdout
