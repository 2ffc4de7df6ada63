"""What looks like a credential is found, and what is known to be none is not."""

from pathlib import Path

import pytest

from deploy.local import secrets_check
from deploy.local.paths import ROOT
from deploy.local.secrets_check import may_stand, search, tracked

# Put together here, so that this file does not hold what it looks for.
PLANTED = {
    "AWS Access Key": "AKIA" + "Z7RTQ4XBNC2LWPM5",
    "Private Key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "GitHub Token": "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "Basic Auth Credentials": "postgresql://carillon:" + "s3cr3tOfOurs@db.example.org/users",
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_credential_is_found_by_its_form(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text(f'NOTHING = 1\nVALUE = "{PLANTED[kind]}"\n', encoding="utf-8")
    ((_, line, found, digest),) = search([file])
    assert (line, found, len(digest)) == (2, kind, 40)


def test_names_and_ids_are_no_credentials(tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text(
        'SECRET_KEY = env.secrets("SECRET_KEY")\n'
        'ORGANIZATION = "org_0193f2c6a7b87d1e9c0a5b4d3e2f1a00"\n',
        encoding="utf-8",
    )
    assert search([file]) == []


def test_what_is_known_may_stand_where_it_is_known() -> None:
    assert may_stand("docs/a.md", {"why": "an example"})
    assert may_stand("carillon/web/tests/test_a.py", {"why": "a test's", "in": "carillon/*tests/*"})
    assert not may_stand("carillon/web/a.py", {"why": "a test's", "in": "carillon/*tests/*"})
    assert not may_stand("docs/a.md", None)


def test_tracked_files_are_searched_and_lists_of_hashes_are_not() -> None:
    files = {str(path) for path in tracked()}
    assert {"docker-compose.yml", ".env.example", "gateway/settings.py"} <= files
    assert not [name for name in files if name.endswith(("package-lock.json", "services.txt"))]


def test_a_find_fails_and_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "leak.py"
    file.write_text(f'VALUE = "{PLANTED["AWS Access Key"]}"\n', encoding="utf-8")
    monkeypatch.setattr(secrets_check, "tracked", lambda: [file])
    assert secrets_check.main() == 1
    printed = capsys.readouterr().out
    assert "AWS Access Key" in printed
    assert PLANTED["AWS Access Key"] not in printed


def test_every_known_one_has_its_reason() -> None:
    text = (ROOT / "deploy/lint/known_secrets.json").read_text(encoding="utf-8")
    assert text.count('"why": "') == text.count('": {')
