from pathlib import Path

import pytest

from carillon.settings import Environment
from deploy.local.credentials import NAMES, kept_credentials
from deploy.local.private_files import read_values, write_private, write_values


def test_what_is_written_is_read_back_by_us_and_by_the_platform(tmp_path: Path) -> None:
    # Names that nobody has set: the environment would win over a file.
    values = {"AN_URL": "redis://:a=b#c@127.0.0.1:1/0", "A_SENDER": "Carillon <n@c.test>"}
    write_values(tmp_path / "env", values, heading="Where things are.")
    assert read_values(tmp_path / "env") == values
    platform = Environment((tmp_path / "env",))
    assert {name: platform.text(name) for name in values} == values


def test_quotes_are_taken_off_as_the_platform_does(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A_ONE='x y'\nA_TWO=\"z\"\nA_THREE='\nA_FOUR=a'b'\n")
    platform = Environment((tmp_path / ".env",))
    ours = read_values(tmp_path / ".env")
    assert ours == {"A_ONE": "x y", "A_TWO": "z", "A_THREE": "'", "A_FOUR": "a'b'"}
    assert {name: platform.text(name) for name in ours} == ours


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    path.write_text("old and open to all")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_line_break_cannot_smuggle_in_a_setting(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="EMAIL_FROM"):
        write_values(tmp_path / "env", {"EMAIL_FROM": "a\nSECRET_KEY=known"}, heading="h")
    assert not (tmp_path / "env").exists()


def test_comments_blanks_and_absent_files_hold_no_values(tmp_path: Path) -> None:
    assert read_values(tmp_path / "absent") == {}
    (tmp_path / ".env").write_text("# comment\n\n#OFF=1\n ON = yes \n")
    assert read_values(tmp_path / ".env") == {"ON": "yes"}


def test_credentials_are_made_once_and_completed(tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    first = kept_credentials(path)
    assert set(first) == set(NAMES)
    assert len(set(first.values())) == len(NAMES)
    assert all(len(value) == 64 for value in first.values())
    assert kept_credentials(path) == first
    path.write_text(f"SECRET_KEY={first['SECRET_KEY']}\n")
    assert kept_credentials(path)["SECRET_KEY"] == first["SECRET_KEY"]
    assert set(read_values(path)) == set(NAMES)
