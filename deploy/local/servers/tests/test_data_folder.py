import os
from pathlib import Path

import pytest

from deploy.local.servers import data_folder as module
from deploy.local.servers.data_folder import make_data_folder, remove_data_folder

ACCOUNT = "postgres"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as others")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Path:
    place = module.ELSEWHERE.with_name(f"carillon-local-test-{os.getpid()}")
    monkeypatch.setattr(module, "ELSEWHERE", place)
    return place


@pytest.fixture
def wanted(tmp_path: Path) -> Path:
    """Where the account cannot enter."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    return closed / "data"


def test_without_another_account_the_folder_is_the_one_asked_for(tmp_path: Path) -> None:
    wanted = tmp_path / "a" / "b"
    assert make_data_folder(wanted, None) == wanted
    assert wanted.stat().st_mode & 0o777 == 0o700
    remove_data_folder(wanted)
    assert not wanted.exists()


@as_root
def test_where_the_account_can_enter_it_owns_the_folder(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    wanted = tmp_path / "data"
    place = make_data_folder(wanted, ACCOUNT)
    assert place == wanted
    assert wanted.owner() == ACCOUNT
    assert wanted.stat().st_mode & 0o777 == 0o700


@as_root
def test_where_the_account_cannot_enter_the_folder_becomes_a_link(
    wanted: Path, elsewhere: Path
) -> None:
    place = make_data_folder(wanted, ACCOUNT)
    assert wanted.is_symlink()
    assert wanted.resolve() == place
    assert place.parent == elsewhere
    assert place.owner() == ACCOUNT
    (place / "file").write_text("kept")
    # The next time it is the same place, with what it holds.
    assert make_data_folder(wanted, ACCOUNT) == place
    assert (wanted / "file").read_text() == "kept"
    remove_data_folder(wanted)
    assert not place.exists()
    assert not wanted.is_symlink()
    elsewhere.rmdir()


@as_root
def test_what_a_deleted_folder_left_elsewhere_is_not_taken_over(
    wanted: Path, elsewhere: Path
) -> None:
    place = make_data_folder(wanted, ACCOUNT)
    (place / "PG_VERSION").write_text("15")
    wanted.unlink()
    assert make_data_folder(wanted, ACCOUNT) == place
    assert list(place.iterdir()) == []
    remove_data_folder(wanted)
    elsewhere.rmdir()


def test_a_link_that_is_not_ours_is_removed_but_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    link = tmp_path / "data"
    link.symlink_to(precious)
    remove_data_folder(link)
    assert not link.is_symlink()
    assert (precious / "file").read_text() == "kept"
