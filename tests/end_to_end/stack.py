"""Starts the platform for tests and speaks to it as a client would."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

from carillon.contracts.status import ENDS, Status
from carillon.testing.proxy import TCPProxy
from deploy.local.console import Console
from deploy.local.credentials import new_credentials
from deploy.local.databases import create_databases, migrate
from deploy.local.environment import Addresses, child_environment, stack_settings
from deploy.local.paths import ROOT, StackFolder
from deploy.local.platform import Platform, private_ports
from deploy.local.roster import Roster
from tests.end_to_end.organizations import Organizations

WAIT_SECONDS = 60.0
POLL_SECONDS = 0.05

VARIABLES = {"name": "Comprehensive Test Recipient"}


class Stack:
    """Eight real processes; `platform` stops, kills and starts each."""

    def __init__(
        self,
        folder: Path,
        addresses: Addresses,
        more: Mapping[str, str] | None = None,
        *,
        roster: Roster | None = None,
        ports: Mapping[str, int] | None = None,
    ) -> None:
        """`more` are settings beyond the addresses; `roster` where the processes have company.

        `ports` where somebody knows them already.
        """
        self._folder = StackFolder(folder)
        self._roster = roster or Roster(folder, self._folder.logs)
        self._ports = ports or private_ports()
        credentials = new_credentials()
        self.secret = credentials["INTERNAL_API_SECRET"]
        production = {"LOG_FORMAT": "json", "ENVIRONMENT": "production"}
        self.settings = {
            **stack_settings(
                addresses=addresses, ports=self._ports, credentials=credentials, given=production
            ),
            **(more or {}),
        }
        self.platform = Platform(
            self._folder, roster=self._roster, settings=self.settings, ports=self._ports
        )
        self.organizations = Organizations(self.settings)

    def start(self) -> None:
        """Migrate and start; raises StackError with the end of the log of what failed."""
        create_databases(self.settings)
        migrate(self._roster, child_environment(self.settings))
        self.platform.start(Console())

    def close(self) -> None:
        """End every process that was started."""
        self.organizations.close()
        self._roster.stop_all()

    def url(self, process: str, path: str) -> str:
        """The address of a path at one of the processes."""
        return f"{self.platform.url(process)}{path}"

    def logs(self) -> str:
        """Everything that the processes wrote so far."""
        return "\n".join(
            file.read_text(errors="replace") for file in sorted(self._roster.logs.glob("*.log"))
        )

    def create_org(self, name: str, *options: str) -> str:
        """Run `python manage.py create_org` in `gateway/` and give what it printed."""
        ran = subprocess.run(
            [sys.executable, "manage.py", "create_org", name, *options],
            cwd=ROOT / "gateway",
            env={**os.environ, **self.settings},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def new_tenant(self, *options: str) -> "Tenant":
        """An organization of its own."""
        options = options or ("--plan", "pro", "--quota", "50000")
        made = self.organizations.create("Tenant", *options)
        return Tenant(
            stack=self,
            organization_id=made["organization_id"],
            key=made["api_key"],
            test_key=made["test_api_key"],
        )


@dataclass(frozen=True)
class Tenant:
    """An organization, its keys, and the calls that its client app makes."""

    stack: Stack
    organization_id: str
    key: str
    test_key: str

    def call(
        self, method: str, path: str, body: object = None, *, key: str | None = None, **headers: str
    ) -> requests.Response:
        """A call of the gateway with this tenant's live key, or with `key`."""
        return requests.request(
            method,
            self.stack.url("gateway", path),
            json=body,
            headers={"X-API-Key": key or self.key, **headers},
            timeout=60,
        )

    def make_user(self, **fields: Any) -> str:
        """A user's id."""
        unique = f"{self.organization_id[-12:]}.{time.monotonic_ns()}"
        body = {
            "email": f"{unique}@example.com",
            "name": "Fresh Test User",
            "push_token": f"token-{unique}",
            "phone_number": "+447700900123",
            "preferences": {"email": True, "push": True, "sms": True},
            **fields,
        }
        answer = self.call("POST", "/api/v1/users/", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["data"]["user_id"])

    def make_template(self, code: str, channel: str = "email", **fields: Any) -> None:
        """A published template that greets `name`."""
        body = {
            "code": code,
            "name": code,
            "type": channel,
            "content": "Hi {{ name }},\n\nThanks for joining!",
            "status": "active",
            "variables": ["name"],
            **fields,
        }
        if channel in {"email", "push"}:
            body.setdefault("subject", "Welcome, {{ name }}!")
        answer = self.call("POST", "/api/v1/templates/", body)
        assert answer.status_code == 201, answer.text

    def send(self, channel: str, user_id: str, code: str, **fields: Any) -> requests.Response:
        """`POST /api/v1/notifications/`; the answer whatever it is. `key` may be given."""
        key = fields.pop("key", None)
        body = {
            "notification_type": channel,
            "user_id": user_id,
            "template_code": code,
            "variables": VARIABLES,
            **fields,
        }
        return self.call("POST", "/api/v1/notifications/", body, key=key)

    def accepted(self, channel: str, user_id: str, code: str, **fields: Any) -> str:
        """The id of a notification that was accepted."""
        answer = self.send(channel, user_id, code, **fields)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["data"]["notification_id"])

    def status(self, notification_id: str) -> dict[str, Any]:
        """`data` of `POST /api/v1/notifications/status/`."""
        body = {"notification_id": notification_id}
        answer = self.call("POST", "/api/v1/notifications/status/", body)
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    def ended(self, notification_id: str, timeout: float = WAIT_SECONDS) -> dict[str, Any]:
        """Its status, as soon as that is an end."""
        data: dict[str, Any] = eventually(
            lambda: self.status(notification_id),
            lambda status: Status(status["status"]) in ENDS,
            timeout,
        )
        return data


def eventually(
    look: Callable[[], Any], good: Callable[[Any], bool], timeout: float = WAIT_SECONDS
) -> Any:
    """What `look` gives once it is `good`; fails with the last look after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        seen = look()
        if good(seen):
            return seen
        assert time.monotonic() < deadline, f"after {timeout:.0f} s still {seen}"
        time.sleep(POLL_SECONDS)


def printed_after(label: str, text: str) -> str:
    """The value after `label` in what a command printed for people."""
    found = re.search(rf"{label}:?\s+(\S+)", text)
    assert found, text
    return found.group(1)


def proxied(url: str) -> tuple[TCPProxy, str]:
    """A proxy in front of the server of `url`, and the URL that leads through it."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    proxy = TCPProxy((parts.hostname, parts.port))
    credentials = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return proxy, urlunsplit(parts._replace(netloc=f"{credentials}127.0.0.1:{proxy.port}"))
