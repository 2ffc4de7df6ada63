"""Settings that protect: read from the environment, checked by Django itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from carillon.settings import ROOT, Environment, SettingsError
from carillon.web.security import SecuritySettings

SERVICE = settings.CARILLON.service
STRONG = "6f1d0a7c94e2b85311aa9e03d7c4f2b86f1d0a7c94e2b85311aa9e03d7c4f2b8"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "LOG_FORMAT": "console",
    "SECRET_KEY": STRONG,
    "INTERNAL_API_SECRET": STRONG[::-1],
    "ALLOWED_HOSTS": "api.example.org",
    "TRUST_PROXY_HEADERS": "true",
}


def manage(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py of the service in a process of its own, in production."""
    return subprocess.run(
        [sys.executable, f"{SERVICE}/manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **PRODUCTION, **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def ask(script: str, **more: str) -> list[str]:
    """The lines that a script prints which asks the service, with `ask(path, **headers)`."""
    asking = (
        "from django.test import Client\n"
        "def ask(path, secure=True, **headers):\n"
        "    return Client().get(path, secure=secure, headers=headers)\n"
    )
    ran = manage(
        "shell",
        "--no-imports",
        "--command",
        asking + script,
        ALLOWED_HOSTS="testserver",
        LOG_LEVEL="CRITICAL",
        **more,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def read(tmp_path: Path, text: str) -> SecuritySettings:
    """What a file of settings says."""
    file = tmp_path / "env"
    file.write_text(text, encoding="utf-8")
    return SecuritySettings.read(Environment((file,)))


def test_django_s_own_check_of_a_deployment_has_nothing_to_say() -> None:
    checked = manage("check", "--deploy", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout


def test_a_default_secret_stops_the_start_in_production() -> None:
    checked = manage("check", SECRET_KEY="local-only-secret-key-that-everyone-knows")
    assert checked.returncode != 0
    assert "Setting SECRET_KEY is a default that everybody knows" in checked.stderr
    assert "Traceback" not in checked.stderr


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ADMIN_PATH=admin\n", "ADMIN_PATH"),
        ("ADMIN_PATH=/\n", "ADMIN_PATH"),
        ("ADMIN_PATH=/a b/\n", "ADMIN_PATH"),
        ("CORS_ALLOWED_ORIGINS=*\n", "CORS_ALLOWED_ORIGINS"),
        ("CORS_ALLOWED_ORIGINS=https://app.example.org/\n", "CORS_ALLOWED_ORIGINS"),
        ("HSTS_SECONDS=-1\n", "HSTS_SECONDS"),
    ],
)
def test_what_makes_no_sense_stops_the_start(tmp_path: Path, text: str, name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read(tmp_path, text)


def test_no_other_site_is_let_in_by_default(tmp_path: Path, client: Client) -> None:
    nobody = read(tmp_path, "")
    assert (nobody.apps(), nobody.middleware()) == ([], [])
    answer = client.options(
        "/api/schema/",
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"},
    )
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_a_site_that_is_named_may_call_the_api_alone() -> None:
    answers = ask(
        "asked = ('/api/schema/', 'app'), ('/api/schema/', 'evil'), ('/metrics', 'app')\n"
        "for path, site in asked:\n"
        "    answer = ask(path, Origin=f'https://{site}.example.org')\n"
        "    print(answer.headers.get('Access-Control-Allow-Origin'))\n",
        CORS_ALLOWED_ORIGINS="https://app.example.org",
    )
    assert answers == ["https://app.example.org", "None", "None"]


def test_the_admin_is_where_it_was_put() -> None:
    answers = ask(
        "for path in ('/staff/desk/login/', '/admin/login/'):\n"
        "    answer = ask(path)\n"
        "    print(answer.status_code, 'csrftoken' in answer.cookies)\n",
        ADMIN_PATH="/staff/desk/",
    )
    assert answers == ["200 True", "404 False"]


def test_browsers_are_told_to_keep_to_tls_over_tls_alone() -> None:
    answers = ask(
        "for secure in (True, False):\n"
        "    answer = ask('/health/live/', secure=secure)\n"
        "    print(answer.headers.get('Strict-Transport-Security'))\n"
    )
    assert answers == ["max-age=31536000", "None"]
