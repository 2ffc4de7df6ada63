import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import demo
from deploy.local.console import Console
from deploy.local.demo import send_demo
from deploy.local.demo_content import EXTERNAL_ID, TEMPLATES
from deploy.local.errors import StackError
from deploy.local.tests.gateway_double import KEY, GatewayDouble

ORGANIZATION = {
    "organization_id": "org_1",
    "api_key": KEY,
    "test_api_key": "org_test_double",
    "plan": "pro",
}


def command_that_prints(answer: object, code: int = 0) -> tuple[str, ...]:
    text = json.dumps(answer)
    program = f"import sys; print('12:00 a log line'); print({text!r}); sys.exit({code})"
    return (sys.executable, "-c", program)


@pytest.fixture
def gateway() -> Iterator[GatewayDouble]:
    double = GatewayDouble()
    yield double
    double.close()


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(demo, "CREATE_ORG", command_that_prints(ORGANIZATION))
    monkeypatch.setattr(demo, "POLL", 0.001)
    return tmp_path / "demo.json"


def run(gateway: GatewayDouble, kept: Path) -> tuple[bool, str]:
    output = io.StringIO()
    delivered = send_demo({"GATEWAY_URL": gateway.url}, Console(output), kept)
    return delivered, output.getvalue()


def test_one_notification_of_each_channel_is_followed_to_its_end(
    gateway: GatewayDouble, kept: Path
) -> None:
    delivered, output = run(gateway, kept)
    assert delivered
    sent = gateway.sent("/api/v1/notifications/")
    assert [body["notification_type"] for body in sent] == ["email", "sms", "push"]
    assert {body["user_id"] for body in sent} == {"user_1"}
    assert len({body["request_id"] for body in sent}) == 3
    assert output.count(" delivered ") == 3
    assert "notif_1" in output
    # The curl can be pasted: key, address and body are those of this run.
    assert f'-H "X-API-Key: {KEY}"' in output
    assert f"curl -X POST {gateway.url}/api/v1/notifications/" in output
    pasted = output.split("-d '")[1].split("'")[0]
    assert json.loads(pasted)["template_code"] == TEMPLATES[0].code


def test_the_second_time_everything_is_used_again(gateway: GatewayDouble, kept: Path) -> None:
    run(gateway, kept)
    assert kept.stat().st_mode & 0o777 == 0o600
    delivered, output = run(gateway, kept)
    assert delivered
    assert "from last time" in output
    assert len(gateway.users) == 1
    assert ("GET", f"/api/v1/users/{EXTERNAL_ID}/", {}) in gateway.calls
    requests = [body["request_id"] for body in gateway.sent("/api/v1/notifications/")]
    assert len(set(requests)) == 6


def test_a_key_that_no_longer_works_is_replaced(gateway: GatewayDouble, kept: Path) -> None:
    kept.write_text(json.dumps({**ORGANIZATION, "api_key": "org_live_of_a_deleted_database"}))
    delivered, output = run(gateway, kept)
    assert delivered
    assert "from last time" not in output
    assert json.loads(kept.read_text())["api_key"] == KEY


def test_a_failure_is_said_with_its_reason(gateway: GatewayDouble, kept: Path) -> None:
    gateway.statuses = ["accepted", "failed"]
    delivered, output = run(gateway, kept)
    assert not delivered
    assert "the mailbox is full" in output
    assert "Not delivered: email, sms, push" in output


def test_what_is_never_delivered_is_not_waited_for_without_end(
    gateway: GatewayDouble, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "DELIVERY_TIMEOUT", 0.2)
    gateway.statuses = ["queued"]
    delivered, output = run(gateway, kept)
    assert not delivered
    assert output.count(" queued ") == 3


def test_a_refusal_names_the_call_and_the_error(gateway: GatewayDouble, kept: Path) -> None:
    gateway.refusal = (429, {"error": "rate_limit_exceeded", "message": "Wait 30 s."})
    with pytest.raises(
        StackError, match=r"POST /api/v1/notifications/ answered 429 rate_limit_exceeded: Wait 30 s"
    ):
        run(gateway, kept)


def test_a_gateway_that_is_not_there_is_named(tmp_path: Path, kept: Path) -> None:
    kept.write_text(json.dumps(ORGANIZATION))
    with pytest.raises(StackError, match=r"127\.0\.0\.1:1 does not answer"):
        send_demo({"GATEWAY_URL": "http://127.0.0.1:1"}, Console(io.StringIO()), kept)


@pytest.mark.parametrize(
    "command",
    [
        command_that_prints(ORGANIZATION, code=1),
        command_that_prints({"organization_id": "org_1"}),
        (sys.executable, "-c", ""),
    ],
)
def test_a_failed_create_org_shows_no_key(
    gateway: GatewayDouble, kept: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(demo, "CREATE_ORG", command)
    with pytest.raises(StackError, match="create_org failed") as raised:
        run(gateway, kept)
    assert KEY not in str(raised.value)
    assert not kept.exists()
