import hashlib
import json
from pathlib import Path

import pytest

from deploy.local import bootstrap
from deploy.local.bootstrap import given_settings, pins, satisfied
from deploy.local.errors import StackError
from deploy.local.install import HOMEBREW, advice, installer, missing_servers

LOCAL = "msgspec==1.0 \\\n    --hash=sha256:aa\n"
DEVELOPMENT = LOCAL + "pytest==9.0 ; python_version > '3' \\\n    --hash=sha256:bb\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "local.txt").write_text(LOCAL)
    (tmp_path / "development.txt").write_text(DEVELOPMENT)
    python = tmp_path / "python"
    python.touch()
    monkeypatch.setattr(bootstrap, "REQUIREMENTS", tmp_path)
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "stamp")
    monkeypatch.setattr(bootstrap, "PYTHON", python)
    return tmp_path


def stamp(folder: Path, name: str) -> None:
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "stamp").write_text(json.dumps({name: digest}))


def test_nothing_is_installed_before_it_is(folder: Path) -> None:
    assert not satisfied("local.txt")
    stamp(folder, "local.txt")
    assert satisfied("local.txt")
    assert not satisfied("development.txt")


def test_a_larger_set_with_the_same_pins_will_do(folder: Path) -> None:
    stamp(folder, "development.txt")
    assert satisfied("local.txt")
    (folder / "local.txt").write_text(LOCAL.replace("1.0", "1.1"))
    assert not satisfied("local.txt")


def test_a_changed_file_is_installed_again(folder: Path) -> None:
    stamp(folder, "local.txt")
    (folder / "local.txt").write_text(LOCAL.replace("aa", "cc"))
    assert not satisfied("local.txt")


def test_a_deleted_environment_is_made_again(folder: Path) -> None:
    stamp(folder, "local.txt")
    (folder / "python").unlink()
    assert not satisfied("local.txt")


def test_pins_are_read_with_and_without_conditions(folder: Path) -> None:
    assert pins(folder / "development.txt") == {"msgspec==1.0", "pytest==9.0"}


def test_a_server_whose_address_is_given_is_not_missed() -> None:
    addresses = {"DATABASE_URL", "REDIS_URL", "RABBITMQ_URL"}
    assert missing_servers(addresses) == []


def test_servers_that_are_nowhere_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "deploy.local.install.SERVERS", (("DATABASE_URL", "postgresql", lambda: None),)
    )
    assert missing_servers(()) == ["postgresql"]


def test_advice_names_homebrew_s_packages_on_a_mac_and_compose_everywhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert HOMEBREW in advice(["postgresql"])
    assert "docker compose up" in advice(["postgresql"])
    monkeypatch.setattr("sys.platform", "linux")
    assert "postgresql" in advice(["postgresql"])
    assert "docker compose up" in advice(["postgresql"])


def test_neither_root_nor_sudo_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/apt-get" if name != "sudo" else None)
    with pytest.raises(
        StackError, match=r"neither root nor sudo.*apt-get install python3-venv redis-server"
    ):
        installer(["python3-venv", "redis-server"])


def test_given_settings_are_those_with_a_value() -> None:
    assert "SMTP_URL" in given_settings({"SMTP_URL": "smtp://x"})
    assert "SMTP_URL" not in given_settings({"SMTP_URL": ""})
