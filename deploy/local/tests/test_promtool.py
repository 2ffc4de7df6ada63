"""promtool: this machine's own where there is one, and else a way to it."""

import stat
from pathlib import Path

import pytest

from deploy.local import promtool
from deploy.local.errors import StackError


def program(path: Path, script: str) -> Path:
    """An executable shell script."""
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH but for the shell's own; nothing is kept from earlier."""
    monkeypatch.setattr(promtool, "KEPT", tmp_path / "tools" / "promtool")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_the_machine_s_own_is_used(folder: Path) -> None:
    own = program(folder / "promtool", "exit 0")
    assert promtool.promtool() == own


def test_what_was_fetched_before_is_kept(folder: Path) -> None:
    promtool.KEPT.parent.mkdir()
    kept = program(promtool.KEPT, "exit 0")
    assert promtool.promtool() == kept


def test_without_apt_it_says_what_to_install(folder: Path) -> None:
    with pytest.raises(StackError, match="It comes with Prometheus"):
        promtool.promtool()


def test_a_failed_download_says_why_and_what_to_try(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    program(folder / "apt-get", "echo 'E: no such package' >&2; exit 100")
    program(folder / "dpkg", "exit 0")
    with pytest.raises(StackError, match=r"E: no such package\n.*apt-get update"):
        promtool.promtool()
    assert not promtool.KEPT.exists()


def test_the_program_is_taken_out_of_the_package(folder: Path) -> None:
    program(folder / "apt-get", ": > prometheus_1_all.deb")
    program(
        folder / "dpkg",
        '/bin/mkdir -p "$3/usr/bin"; echo fetched > "$3/usr/bin/promtool"',
    )
    assert promtool.promtool().read_text(encoding="utf-8") == "fetched\n"
    assert [path.name for path in promtool.KEPT.parent.iterdir() if path.is_dir()] == []


def test_old_lists_of_packages_are_renewed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    program(
        folder / "apt-get",
        f"case $1 in update) : > {folder}/updated;; *) [ -e {folder}/updated ] && "
        ": > prometheus_1_all.deb;; esac",
    )
    program(folder / "dpkg", '/bin/mkdir -p "$3/usr/bin"; : > "$3/usr/bin/promtool"')
    assert promtool.promtool().exists()
