"""deploy/Dockerfile: its file tree, made here from its COPY lines, runs with its own packages."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

import pytest

from deploy.compose import process
from deploy.local.ports import private_port

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
WEB = ("gateway", "user_service", "template_service")
WORKERS = ("email_worker", "sms_worker", "push_worker")
SETTINGS = {
    "SETTINGS_FILES": "",
    "ENVIRONMENT": "local",
    "SECRET_KEY": "only-for-this-test-0123456789",
    "INTERNAL_API_SECRET": "only-for-this-test-0123456789",
    "LINK_SECRETS": "only-for-this-test-0123456789",
    "CREDENTIALS_KEYS": "only-for-this-test-0123456789",
    "PUBLIC_URL": "http://127.0.0.1:1",
    # Nothing listens on port 1.
    "DATABASE_URL": "postgresql://carillon@127.0.0.1:1",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "RABBITMQ_URL": "amqp://127.0.0.1:1/",
    "GATEWAY_URL": "http://127.0.0.1:1",
    "USER_SERVICE_URL": "http://127.0.0.1:1",
    "TEMPLATE_SERVICE_URL": "http://127.0.0.1:1",
    "WEB_CONCURRENCY": "1",
}
# Run first inside a tree: makes Python blind to packages that its image does not install.
BLINDFOLD = """
import importlib.metadata, re, sys
installed = set({installed!r})
def name(distribution): return re.sub(r"[-_.]+", "-", distribution).lower()
absent = {{
    top
    for top, distributions in importlib.metadata.packages_distributions().items()
    if not installed & {{name(distribution) for distribution in distributions}}
}}
class Blindfold:
    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {{fullname!r}}", name=fullname)
sys.meta_path.insert(0, Blindfold())
sys.path.insert(0, ".")
"""


def copies(service: str) -> list[tuple[str, str]]:
    """Source and destination of each COPY from the project, with SERVICE in its place."""
    found = []
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        *sources, target = [
            word.replace("${SERVICE}", service)
            for word in line.split()
            if not word.startswith("--")
        ]
        found += [(source.rstrip("/"), target) for source in sources]
    return found


def is_ignored(path: str) -> bool:
    """As .dockerignore decides: the last line that matches the path or a folder above it."""
    parts = path.split("/")
    prefixes = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    ignored = False
    for line in IGNORED:
        pattern = line.removeprefix("!").rstrip("/")
        if not pattern or line.startswith("#"):
            continue
        anywhere = pattern.removeprefix("**/")
        for prefix in prefixes:
            subject = prefix.rpartition("/")[2] if pattern.startswith("**/") else prefix
            same_depth = anywhere.count("/") == subject.count("/")
            if same_depth and fnmatch(subject, anywhere):
                ignored = not line.startswith("!")
    return ignored


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The /app of each image."""
    made = {}
    for service in (*WEB, *WORKERS):
        made[service] = tmp_path_factory.mktemp(service)
        for source, target in copies(service):
            if not target.startswith("/"):
                shutil.copytree(ROOT / source, made[service] / target, ignore=_ignore)
    return made


def _ignore(folder: str, names: list[str]) -> list[str]:
    base = Path(folder).relative_to(ROOT)
    return [name for name in names if is_ignored(str(base / name))]


def run(tree: Path, *code: str) -> subprocess.CompletedProcess[str]:
    """The virtual environment's Python in a tree, with the image's environment alone."""
    return subprocess.run(
        [sys.executable, *code],
        cwd=tree,
        env={**SETTINGS, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def pinned(requirements: str) -> set[str]:
    """The names in a compiled requirements file, normalised as PEP 503 says."""
    text = (ROOT / "requirements" / requirements).read_text(encoding="utf-8")
    return {canonical(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}


def canonical(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("service", [*WEB, *WORKERS])
def test_what_is_copied_exists_and_is_not_ignored(service: str) -> None:
    sources = [source for source, _ in copies(service)]
    assert {"carillon", service, "requirements/services.txt"} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists(), source
        assert not is_ignored(source), source


@pytest.mark.parametrize(
    "path", [".env", ".local/env", ".git/config", "gateway/tests/test_x.py", "README.md", "docs/x"]
)
def test_secrets_history_and_tests_stay_out_of_the_image(path: str) -> None:
    assert is_ignored(path)


@pytest.mark.parametrize("service", WEB)
def test_a_service_starts_from_its_own_files_and_packages(
    service: str, trees: dict[str, Path]
) -> None:
    # Imports the settings, the applications, the routes and the server.
    code = f"""
import gunicorn.app.wsgiapp, runpy
sys.argv = ["manage.py", "check"]
runpy.run_path("{service}/manage.py", run_name="__main__")
"""
    result = run_blindfolded(trees[service], code, "services.txt")
    assert result.stdout == "System check identified no issues (0 silenced).\n", result.stderr


@pytest.mark.parametrize("service", WORKERS)
def test_a_worker_starts_from_its_own_files_and_packages(
    service: str, trees: dict[str, Path]
) -> None:
    code = f"import carillon, {service}.__main__\nprint(carillon.__file__)"
    result = run_blindfolded(trees[service], code, "workers.txt")
    assert result.returncode == 0, result.stderr
    assert Path(result.stdout.strip()).resolve().is_relative_to(trees[service].resolve())


@pytest.mark.parametrize("command", ["relay", "events"])
def test_the_gateways_image_has_its_two_other_processes(
    command: str, trees: dict[str, Path]
) -> None:
    code = f"""
import runpy
sys.argv = ["manage.py", "{command}", "--help"]
runpy.run_path("gateway/manage.py", run_name="__main__")
"""
    result = run_blindfolded(trees["gateway"], code, "services.txt")
    assert result.stdout.startswith(f"usage: manage.py {command}"), result.stderr


def test_the_demo_runs_from_the_gateways_image_with_deploy_mounted(
    trees: dict[str, Path], tmp_path: Path
) -> None:
    tree = tmp_path / "app"
    shutil.copytree(trees["gateway"], tree)
    # Other suites write there just now what they have compiled.
    shutil.copytree(ROOT / "deploy", tree / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
    code = """
import os
import deploy.compose.demo, deploy.local.paths
ports = ("GATEWAY_PORT", "MAILBOX_PORT", "USER_SERVICE_PORT", "TEMPLATE_SERVICE_PORT")
os.environ.update(dict.fromkeys(ports, "1234"))
print(deploy.compose.demo.places()["Health"], deploy.local.paths.LOCAL.demo)
sys.exit(deploy.compose.demo.main())
"""
    result = run_blindfolded(tree, code, "services.txt")
    # Nobody answers, so it says so and fails; it did not fail to start.
    assert result.stdout.startswith(f"http://127.0.0.1:1234/health/ {tree}/.local/demo.json")
    assert result.returncode == 1
    assert "docker compose logs" in result.stdout


@pytest.mark.parametrize(
    ("package", "image"), [("gunicorn", "email_worker"), ("pytest", "gateway")]
)
def test_what_an_image_does_not_install_cannot_be_imported(
    package: str, image: str, trees: dict[str, Path]
) -> None:
    requirements = "workers.txt" if image in WORKERS else "services.txt"
    result = run_blindfolded(trees[image], f"import {package}", requirements)
    assert f"No module named '{package}'" in result.stderr


def run_blindfolded(tree: Path, code: str, requirements: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a tree with no packages but those of `requirements`."""
    blindfold = BLINDFOLD.format(installed=sorted(pinned(requirements)))
    return run(tree, "-c", blindfold + code)


def test_a_service_of_another_image_is_absent(trees: dict[str, Path]) -> None:
    result = run(trees["email_worker"], "-c", "import gateway")
    assert "No module named 'gateway'" in result.stderr


def test_the_health_check_follows_a_real_service(
    trees: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """gunicorn, started by the image's own command, lives without its servers and stops at once."""
    port = str(private_port())
    monkeypatch.setenv("USER_SERVICE_PORT", port)
    started = process.PROCESSES["user_service"]
    assert not process.is_alive(started.health_url)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**SETTINGS, "PATH": path, "TMPDIR": str(tmp_path)}
    with running(started.command, trees["user_service"], environment) as child:
        wait_until_alive(started.health_url, child)
        assert list(tmp_path.iterdir()) != [], "its metrics"
        child.terminate()
        assert child.wait(timeout=60) == 0
        assert list(tmp_path.iterdir()) == []
    assert not process.is_alive(started.health_url)


@contextmanager
def running(
    command: tuple[str, ...], folder: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is gone afterwards."""
    child = subprocess.Popen(command, cwd=folder, env=dict(environment))
    try:
        yield child
    finally:
        child.kill()
        child.wait(timeout=60)


def wait_until_alive(url: str, child: subprocess.Popen[bytes]) -> None:
    """At most a minute."""
    deadline = time.monotonic() + 60
    while not process.is_alive(url):
        assert child.poll() is None, "it ended"
        assert time.monotonic() < deadline, "not alive in time"
        time.sleep(0.1)
