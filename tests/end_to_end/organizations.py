"""Organizations for tests: `create_org` as often as is wanted, by one process that knows Django."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from deploy.local.paths import ROOT

ENDING = 10.0  # seconds

# Starting `manage.py` takes a hundred times as long as the command does.
PROGRAM = """
import io, json, os, sys
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # whatever else is printed is no answer
import django
from django.core.management import call_command
from django.db import connections
django.setup()
for line in sys.stdin:
    said = io.StringIO()
    call_command("create_org", *json.loads(line), "--json", stdout=said)
    connections.close_all()
    print(json.dumps(json.loads(said.getvalue())), file=answers, flush=True)
"""


class Organizations:
    """Makes them on the platform of `settings`; its process ends with `close`, or with ours."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None

    def create(self, name: str, *options: str) -> dict[str, Any]:
        """What `create_org NAME OPTIONS --json` prints."""
        process = self._process or self._start()
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps([name, *options]) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        assert answer, f"create_org failed with exit code {process.wait(ENDING)}; it says why above"
        made: dict[str, Any] = json.loads(answer)
        return made

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdout
        process.kill()
        process.communicate()

    def _start(self) -> "subprocess.Popen[str]":
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            env={**os.environ, **self._settings, "DJANGO_SETTINGS_MODULE": "gateway.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self._process
