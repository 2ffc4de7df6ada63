"""Rules of the layout that no import contract can express. They police the repository itself."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.linting import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ("gateway", "template_service", "user_service")
WORKERS = ("email_worker", "push_worker", "sms_worker")
PACKAGES = ("carillon", *SERVICES, *WORKERS)
TOP_LEVEL = {
    *PACKAGES,
    "benchmarks", "deploy", "docs", "requirements", "tests",
    "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "SECURITY.md", "conftest.py",
    "docker-compose.yml", "pyproject.toml",
}  # fmt: skip
JUNK_DRAWERS = re.compile(r"^(utils?|helpers?|common|misc|managers?|shared|stuff)(\.py)?$")
LONGEST_FILE = 400


def tracked(pattern: str = "") -> list[Path]:
    """What git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", pattern or "."],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def python_files() -> list[Path]:
    return [path for path in tracked("*.py") if path.relative_to(ROOT).parts[0] in PACKAGES]


def product_files() -> list[Path]:
    return [path for path in python_files() if not {"tests", "migrations"} & set(path.parts)]


def test_the_top_level_is_what_the_design_says() -> None:
    there = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in there if not name.startswith(".")} == TOP_LEVEL


def test_every_package_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in product_files()
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_no_junk_drawers() -> None:
    parts = {part for path in tracked() for part in path.relative_to(ROOT).parts}
    assert sorted(part for part in parts if JUNK_DRAWERS.match(part)) == []


def test_no_god_files() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in product_files()
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def string_literals(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_queue_and_exchange_names_stand_in_the_topology_alone() -> None:
    name = re.compile(r"^[a-z{}_.]*\.queue$|^carillon\.(delivery|dead|events)$")
    elsewhere = {
        f"{path.relative_to(ROOT)}: {literal}"
        for path in product_files()
        if path != ROOT / "carillon/broker/topology.py"
        for literal in string_literals(path)
        if name.match(literal)
    }
    assert elsewhere == set()


@pytest.mark.parametrize("worker", WORKERS)
def test_a_worker_runs_without_django_and_without_a_database(worker: str) -> None:
    code = (
        f"import sys, {worker}.__main__\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "print(*sorted(loaded & {'django', 'rest_framework', 'psycopg'}))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=110
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == ""


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_keeps_its_manage_py(service: str) -> None:
    ran = subprocess.run(
        [sys.executable, "manage.py", "--version"],
        cwd=ROOT / service, env={**os.environ, **SETTINGS},
        capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("5.2")


def test_nothing_is_left_for_later() -> None:
    word = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        if path.suffix in {".py", ".md", ".yml", ".toml", ".sh"} and path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if word.search(line)
    ]
    assert found == []


def test_requirements_are_pinned_with_hashes_and_name_no_index() -> None:
    for path in tracked("requirements/*.txt"):
        text = path.read_text()
        assert "://" not in text, path.name
        assert not re.search(r"^\s*--(index|extra-index|find-links|trusted)", text, re.M), path.name
        pins = re.findall(r"^[a-zA-Z0-9][^\n]*", text, re.M)
        assert pins, path.name
        assert all("==" in pin for pin in pins), path.name
        assert text.count("--hash=") >= len(pins), path.name


def test_every_dependency_has_its_reason() -> None:
    table = (ROOT / "docs/decisions/dependencies.md").read_text().lower()
    reasons = {
        name.strip()
        for row in re.findall(r"^\| ([^|]+) \|", table, re.M)
        for name in row.split(",")
    }
    wanted = {
        re.split(r"[~=<>\[ ;]", line)[0].lower()
        for path in tracked("requirements/*.in")
        for line in path.read_text().splitlines()
        if line and not line.startswith(("#", "-r"))
    }
    assert sorted(wanted - reasons) == []


def test_the_version_is_said_once_and_repeated_rightly() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f'__version__ = "{project["version"]}"' in (ROOT / "carillon/__init__.py").read_text()


def test_the_tests_that_the_documents_name_exist() -> None:
    named = [
        (path.name, test)
        for path in tracked("docs/*.md")
        for test in re.findall(r"`([\w/]+\.py(?:::\w+)+)`", path.read_text())
    ]
    assert named
    assert [(page, test) for page, test in named if not is_a_test(test)] == []


def is_a_test(name: str) -> bool:
    """`name` is `path::test` or `path::Class::test`."""
    path, *names = name.split("::")
    if not (ROOT / path).is_file():
        return False
    body: list[ast.stmt] = ast.parse((ROOT / path).read_text()).body
    for wanted in names:
        found = [
            each
            for each in body
            if isinstance(each, ast.ClassDef | ast.FunctionDef) and each.name == wanted
        ]
        if not found:
            return False
        body = found[0].body
    return True


def test_relative_links_in_the_documents_lead_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)} -> {target}"
        for path in tracked("*.md")
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text())
        if "://" not in target and not target.startswith("mailto:")
        if not (path.parent / target).exists()
    ]
    assert broken == []
