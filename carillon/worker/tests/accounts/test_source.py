"""Asking the gateway, and what of its answers is believed."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from carillon.clients.http import InternalHTTP, ServiceDown
from carillon.testing.http_double import HTTPDouble, Reply, Request
from carillon.worker.accounts.source import GatewayAccounts
from carillon.worker.tests.accounts.doubles import ACME, SECRET, account, active


def envelope(*accounts: Any) -> dict[str, Any]:
    return {"success": True, "data": {"accounts": accounts}, "message": "x", "meta": {}}


@pytest.fixture
def gateway() -> Iterator[HTTPDouble]:
    with HTTPDouble(lambda _request: Reply(200, envelope())) as double:
        yield double


def ask(gateway: HTTPDouble) -> Any:
    return GatewayAccounts(InternalHTTP("gateway", gateway.url, "shared")).fetch(ACME, "email")


def test_the_gateway_is_asked_with_the_secret_for_one_organization(gateway: HTTPDouble) -> None:
    gateway.says = Reply(200, envelope(msgspec.to_builtins(account())))
    assert ask(gateway) == active(account())
    request: Request = gateway.requests[0]
    assert (request.method, request.path) == ("GET", "/internal/provider-accounts/?channel=email")
    assert request.headers["X-Internal-Secret"] == "shared"
    assert request.headers["X-Organization-ID"] == ACME


def test_none_is_an_answer(gateway: HTTPDouble) -> None:
    assert ask(gateway) == active()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, {}),
        Reply(401, {"error": "authentication_required"}),
        # A gateway of an older release is not an organization without accounts.
        Reply(404, {"error": "not_found"}),
        Reply(200, body=b"<html>"),
        Reply(200, {"data": {}}),
        Reply(200, {"data": {"accounts": [{"account_id": SECRET, "credentials": SECRET}]}}),
        Reply(200, body=f'{{"data": {{"accounts": [{{"credentials": "{SECRET}'.encode()),
    ],
)
def test_anything_else_is_no_answer_and_is_not_repeated(
    gateway: HTTPDouble, reply: Reply, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.says = reply
    with pytest.raises(ServiceDown) as failure:
        ask(gateway)
    said = capsys.readouterr()
    assert SECRET not in f"{failure.value!r}{failure.value.__cause__!r}{said.out}{said.err}"
