"""The demo: an organization, a user, three templates, and one notification on each channel.

Everything but the organization goes through the public API. It may be run any number of times:
what exists already is used again.
"""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from deploy.local.console import Console, table
from deploy.local.demo_content import (
    EXTERNAL_ID,
    ORGANIZATION,
    PLAN,
    QUOTA,
    TEMPLATES,
    USER,
    VARIABLES,
    DemoTemplate,
)
from deploy.local.environment import child_environment
from deploy.local.errors import StackError
from deploy.local.gateway_client import GatewayClient
from deploy.local.paths import LOCAL, ROOT
from deploy.local.private_files import write_private

DELIVERY_TIMEOUT = 120.0  # seconds
POLL = 0.1  # seconds
COMMAND_TIMEOUT = 120  # seconds for create_org
CREATE_ORG = (sys.executable, "gateway/manage.py", "create_org")

# carillon.contracts.status.ENDS, as the API spells them.
DELIVERED = "delivered"
ENDS = frozenset({DELIVERED, "failed", "bounced", "rejected", "cancelled", "expired"})


@dataclass(frozen=True, slots=True)
class DemoOrganization:
    """Kept in a file of mode 600, since a key is shown only once."""

    organization_id: str
    api_key: str
    test_api_key: str


@dataclass(slots=True)
class Sent:
    """One notification of the demo; `seconds` from the call to the last change of status."""

    channel: str
    notification_id: str
    begun: float
    status: str
    error: str = ""
    seconds: float = 0.0


def send_demo(settings: Mapping[str, str], console: Console, kept: Path = LOCAL.demo) -> bool:
    """Send and wait, and print what became of it; True if all were delivered.

    `kept` is the file of the organization and its keys. Raises StackError where the platform
    refuses or does not answer.
    """
    console.heading("\nA first notification on each channel, through the public API:")
    organization = _organization(settings, kept, console)
    client = GatewayClient(settings["GATEWAY_URL"], organization.api_key)
    with console.step(f"User {USER['name']} and {len(TEMPLATES)} published templates"):
        user_id = _user(client)
        for template in TEMPLATES:
            client.call("POST", "/api/v1/templates/", template.body, allow=(201, 409))
    sent = [_send(client, template, user_id) for template in TEMPLATES]
    _wait(client, sent)
    _report(sent, console)
    _show_curl(settings["GATEWAY_URL"], organization.api_key, user_id, console)
    return all(one.status == DELIVERED for one in sent)


def _organization(settings: Mapping[str, str], file: Path, console: Console) -> DemoOrganization:
    """The one of last time while its key works, else a new one."""
    kept = _parsed(file.read_text(encoding="utf-8")) if file.is_file() else None
    if kept and _works(settings["GATEWAY_URL"], kept):
        console.line(f"  . Organization {kept.organization_id}, from last time")
        return kept
    with console.step(f'python gateway/manage.py create_org "{ORGANIZATION}" --plan {PLAN}'):
        created = _create_organization(settings)
    write_private(file, json.dumps(asdict(created), indent=1) + "\n")
    return created


def _parsed(text: str) -> DemoOrganization | None:
    """From JSON, which may say more than we ask; None where it says less."""
    try:
        values = json.loads(text)
        return DemoOrganization(**{f.name: str(values[f.name]) for f in fields(DemoOrganization)})
    except (ValueError, TypeError, KeyError):
        return None


def _works(url: str, organization: DemoOrganization) -> bool:
    """A valid key learns that there is no such notification; another learns nothing."""
    client = GatewayClient(url, organization.api_key)
    body = {"notification_id": "notif_of-nobody"}
    path = "/api/v1/notifications/status/"
    return client.call("POST", path, body, allow=(400, 401, 403, 404)).status in {400, 404}


def _create_organization(settings: Mapping[str, str]) -> DemoOrganization:
    options = ("--plan", PLAN, "--quota", str(QUOTA), "--json")
    result = subprocess.run(
        [*CREATE_ORG, ORGANIZATION, *options],
        cwd=ROOT,
        env=child_environment(settings),
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT,
        check=False,
    )
    # Log lines, if any, come before; the answer is the last line.
    answer = (result.stdout.strip().splitlines() or [""])[-1]
    created = _parsed(answer) if result.returncode == 0 else None
    if created is None:
        # Not its output, which may hold a key.
        raise StackError(
            f"create_org failed with exit code {result.returncode}:\n{result.stderr.strip()}"
        )
    return created


def _user(client: GatewayClient) -> str:
    answer = client.call("POST", "/api/v1/users/", USER, allow=(200, 201, 409))
    if answer.status == 409:
        # The client's own id is good wherever a user id is.
        answer = client.call("GET", f"/api/v1/users/{EXTERNAL_ID}/", allow=(200,))
    return str(answer.data["user_id"])


def _send(client: GatewayClient, template: DemoTemplate, user_id: str) -> Sent:
    begun = time.monotonic()
    body = notification(template, user_id) | {"request_id": f"demo-{uuid.uuid4()}"}
    answer = client.call("POST", "/api/v1/notifications/", body, allow=(202,))
    return Sent(template.channel, answer.data["notification_id"], begun, answer.data["status"])


def notification(template: DemoTemplate, user_id: str) -> dict[str, object]:
    """The body of a request that sends `template` to a user."""
    return {
        "notification_type": template.channel,
        "user_id": user_id,
        "template_code": template.code,
        "variables": VARIABLES,
    }


def _wait(client: GatewayClient, sent: list[Sent]) -> None:
    """Follow each until its end, or for DELIVERY_TIMEOUT seconds in all."""
    deadline = time.monotonic() + DELIVERY_TIMEOUT
    waiting = list(sent)
    while waiting and time.monotonic() < deadline:
        for one in waiting:
            body = {"notification_id": one.notification_id}
            answer = client.call("POST", "/api/v1/notifications/status/", body, allow=(200,))
            one.status = answer.data["status"]
            one.error = answer.data.get("error_message") or ""
            one.seconds = time.monotonic() - one.begun
        waiting = [one for one in waiting if one.status not in ENDS]
        if waiting:
            time.sleep(POLL)


def _report(sent: list[Sent], console: Console) -> None:
    rows = [
        (one.notification_id, one.channel, one.status, f"{one.seconds:.2f} s", one.error)
        for one in sent
    ]
    console.line()
    for line in table(("id", "channel", "status", "took", ""), list(rows)):
        console.line(f"  {line}")
    late = [one.channel for one in sent if one.status != DELIVERED]
    if late:
        console.warn(
            f"Not delivered: {', '.join(late)}. `make logs NAME=email_worker` (or relay, events, "
            "gateway …) says why."
        )


def _show_curl(url: str, api_key: str, user_id: str, console: Console) -> None:
    body = json.dumps(notification(TEMPLATES[0], user_id))
    console.line("\n  Send another yourself:\n")
    console.line(f"  curl -X POST {url}/api/v1/notifications/ \\")
    console.line('    -H "Content-Type: application/json" \\')
    console.line(f'    -H "X-API-Key: {api_key}" \\')
    console.line(f"    -d '{body}'")
