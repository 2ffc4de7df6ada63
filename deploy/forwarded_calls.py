"""gateway/forwarding/contracts, from the services' own OpenAPI: `python -m deploy.forwarded_calls`.

The gateway documents the calls that it forwards with what the services say of them, and may not
import the services. So that is written down here, and `--check` (a step of `make lint`) fails
where it is no longer what they say.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from deploy.local.linting import SETTINGS

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "gateway/forwarding/contracts"
SERVICES = ("user_service", "template_service")
PUBLIC = "/api/v1/"
TIMEOUT = 300  # seconds for one service to describe itself

# How the gateway authenticates at a service is nothing that a client could answer to.
OURS = frozenset({"authentication_required", "missing_organization"})
KEPT = ("operationId", "summary", "description", "tags", "parameters", "requestBody")


def public_calls(schema: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By method and path: the calls below /api/v1/, without what only the gateway may know.

    Of an answer that is none of the errors all is kept; of an error its code, message and details.
    """
    return {
        f"{method.upper()} {path}": {
            **{name: operation[name] for name in KEPT if name in operation},
            "answers": {
                status: answer
                for status, answer in operation["responses"].items()
                if int(status) < 400
            },
            "errors": _errors(operation["responses"]),
        }
        for path, item in sorted(schema["paths"].items())
        if path.startswith(PUBLIC)
        for method, operation in sorted(item.items())
    }


def _errors(answers: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "status": int(status),
            "code": example["value"]["error"],
            "message": example["value"]["message"],
            "details": example["value"].get("details", {}),
        }
        for status, answer in sorted(answers.items())
        if int(status) >= 400
        for example in answer["content"]["application/json"]["examples"].values()
        if example["value"]["error"] not in OURS
    ]


def text_of(calls: Mapping[str, Mapping[str, Any]]) -> str:
    """One call a line: a change of one shows as one."""
    lines = (
        f"{json.dumps(name)}: {json.dumps(call, ensure_ascii=False, separators=(',', ':'))}"
        for name, call in calls.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def described(service: str) -> str:
    """What the service says of its public calls now."""
    ran = subprocess.run(
        [sys.executable, f"{service}/manage.py", "spectacular", "--format", "openapi-json"],
        cwd=ROOT,
        env={**os.environ, **SETTINGS},
        stdout=subprocess.PIPE,
        timeout=TIMEOUT,
        check=True,
    )
    return text_of(public_calls(json.loads(ran.stdout)))


def main(arguments: list[str]) -> int:
    """Write the contracts; with `--check` only say which are outdated, and return 1 if any is."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python -m deploy.forwarded_calls [--check]\n")
        return 64
    with ThreadPoolExecutor(len(SERVICES)) as pool:
        texts = dict(zip(SERVICES, pool.map(described, SERVICES), strict=True))
    outdated = 0
    for service, text in texts.items():
        file = FOLDER / f"{service}.json"
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            continue
        outdated += 1
        if arguments:
            sys.stderr.write(
                f"{file.relative_to(ROOT)} is not what {service} says of its calls; "
                "run python -m deploy.forwarded_calls and commit it.\n"
            )
        else:
            file.write_text(text, encoding="utf-8")
    return 1 if arguments and outdated else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
