"""MSG91: the contract, refusals that come with status 200, and what is on the wire."""

import itertools
from collections.abc import Iterator

import pytest

from carillon.errors import Reason
from carillon.settings import Environment, SettingsError
from carillon.testing.http_double import (
    HTTPDouble,
    HTTPRig,
    Reply,
    Request,
    permanent,
    temporary,
    transport_cases,
    unknown,
    unreadable_successes,
)
from carillon.testing.patience import PATIENCE
from carillon.testing.providers import CANARY_CODE, Case, ProviderContract, delivery_job
from sms_worker.providers.msg91 import PERMANENT, TEMPORARY, MSG91Provider

KEY = "canary-authkey-A1"
TEMPLATE = "5e1e93cad6fc054d8e759a5b"
_serial = itertools.count(1)


def error(code: str = "", message: str = "Refused +447700900987: canary-otp-918273") -> Reply:
    """Status 200 and type error: the code is a field of its own, if there is one."""
    body = {"type": "error", "message": message}
    return Reply(200, {**body, "code": code} if code else body)


def unauthorized(api_error: str) -> Reply:
    """The other shape, of the gate before the API."""
    body = {"status": "fail", "hasError": True, "errors": "Unauthorized", "code": "401"}
    return Reply(401, {**body, "apiError": api_error})


def flow(request: Request) -> Reply:
    """Answers as /api/v5/flow does."""
    if request.headers.get("authkey") != KEY:
        return unauthorized("207")
    if request.path != "/api/v5/flow":
        return Reply(404, {"type": "error", "message": "Not found"})
    body = request.json
    if body.get("template_id") != TEMPLATE:
        return error(message="Template ID Missing or Invalid")
    (recipient,) = body["recipients"]
    if not recipient["mobiles"].isdigit():
        return error("202")
    return Reply(200, {"type": "success", "message": f"{next(_serial):024x}"}, took=True)


def coded_cases() -> Iterator[Case]:
    """Every code of the tables, in an answer whose status says that all is well."""
    for code, reason in PERMANENT.items():
        yield permanent(f"code {code}", error(code), reason, code)
    for code, reason in TEMPORARY.items():
        yield temporary(f"code {code}", error(code), reason, code)


CASES = (
    *transport_cases(),
    *unreadable_successes(),
    *coded_cases(),
    permanent("an error in words alone", error(), Reason.OTHER, "400"),
    permanent("a code of tomorrow", error("999"), Reason.OTHER, "400"),
    permanent("the number as message", error(message="301"), Reason.CONFIGURATION, "301"),
    permanent("address not listed", unauthorized("418"), Reason.CONFIGURATION, "418"),
    permanent(
        "fails with 200",
        Reply(200, {"status": "fail", "hasError": True, "errors": "?"}),
        Reason.OTHER,
        "400",
    ),
    unknown("success without an id", Reply(200, {"type": "success", "message": ""})),
    unknown("neither success nor error", Reply(200, {"type": "maybe", "message": "7"})),
    temporary(
        "an error in trouble",
        Reply(503, {"type": "error", "message": "try later"}),
        Reason.PROVIDER_UNAVAILABLE,
        "503",
    ),
)


class MSG91Rig(HTTPRig):
    channel = "sms"
    secrets = (KEY,)

    def __init__(self, double: HTTPDouble) -> None:
        super().__init__(double)
        self.provider = MSG91Provider(
            url=double.url, key=KEY, template_id=TEMPLATE, timeout=PATIENCE
        )


@pytest.fixture
def rig() -> Iterator[MSG91Rig]:
    with HTTPDouble(flow) as double:
        rig = MSG91Rig(double)
        yield rig
        rig.provider.close()


class TestMSG91Contract(ProviderContract):
    cases = CASES


def test_the_text_fills_the_template_and_the_number_has_no_plus(rig: MSG91Rig) -> None:
    acceptance = rig.provider.send(delivery_job("sms"))
    (request,) = rig.double.requests
    assert request.json == {
        "template_id": TEMPLATE,
        "short_url": "0",
        "recipients": [{"mobiles": "447700900987", "VAR1": f"Your code is {CANARY_CODE}."}],
    }
    assert len(acceptance.provider_message_id) == 24


def test_the_variable_has_the_name_that_the_template_gives_it(rig: MSG91Rig) -> None:
    provider = MSG91Provider(
        url=rig.double.url, key=KEY, template_id=TEMPLATE, variable="message", timeout=PATIENCE
    )
    provider.send(delivery_job("sms"))
    provider.close()
    assert "message" in rig.double.requests[0].json["recipients"][0]


def test_it_is_made_from_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSG91_AUTH_KEY", KEY)
    monkeypatch.setenv("MSG91_TEMPLATE_ID", TEMPLATE)
    monkeypatch.setenv("MSG91_RECEIPTS", "yes")
    assert MSG91Provider.from_environment(Environment(files=())).receipts


@pytest.mark.parametrize(
    ("name", "value"),
    [("MSG91_AUTH_KEY", ""), ("MSG91_TEMPLATE_ID", ""), ("MSG91_URL", "http://control.msg91.com")],
)
def test_a_bad_setting_stops_the_start_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("MSG91_AUTH_KEY", KEY)
    monkeypatch.setenv("MSG91_TEMPLATE_ID", TEMPLATE)
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        MSG91Provider.from_environment(Environment(files=()))
    assert KEY not in str(caught.value)
