"""The APIs do what their OpenAPI says: thousands of requests made from it, good and bad.

No answer is a 5xx, of an undocumented status or media type, or of another shape than is documented;
what the description forbids is refused.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from carillon.contracts import ids
from deploy.local.paths import ROOT
from tests.end_to_end.api.objects import make_objects
from tests.end_to_end.stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
SECONDS = 900  # several times what it takes on a busy machine: a bound, no measure


def run(schema: str, headers: Mapping[str, str], known: Mapping[str, str], *more: str) -> None:
    """Fails with what schemathesis found, and how to ask for it again."""
    program = str(Path(sys.executable).with_name("schemathesis"))
    arguments = ["--config-file", str(CONFIGURATION), "run", schema, "--no-color", *more]
    for name, value in headers.items():
        arguments += ["-H", f"{name}: {value}"]
    ran = subprocess.run(
        [program, *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "KNOWN_OBJECTS": json.dumps(known),
            "PYTHONPATH": str(ROOT),
            # What is drawn from a set is the same each time, too.
            "PYTHONHASHSEED": "0",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    assert ran.returncode == 0, ran.stdout


@pytest.mark.timeout(SECONDS + 60)
def test_the_gateway_does_what_it_says(stack: Stack) -> None:
    tenant = stack.new_tenant("--plan", "enterprise")
    known = make_objects(tenant)
    run(stack.url("gateway", "/api/schema/"), {"X-API-Key": tenant.key}, known)


@pytest.mark.parametrize("service", ["user_service", "template_service"])
@pytest.mark.timeout(SECONDS + 60)
def test_the_internal_calls_do_what_they_say(stack: Stack, service: str) -> None:
    """The public ones were called through the gateway."""
    tenant = stack.new_tenant()
    tenant.make_template("hello")
    known = {
        "users/identifier": tenant.make_user(),
        "templates/code": "hello",
        "devices/device_id": ids.new_id(ids.DEVICE),
    }
    headers = {"X-Internal-Secret": stack.secret, "X-Organization-ID": tenant.organization_id}
    only = ("--include-path-regex", "^/internal/")
    run(stack.url(service, "/api/schema/"), headers, known, *only)
