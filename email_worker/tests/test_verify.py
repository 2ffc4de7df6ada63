"""Email accounts are verified without a mail: SMTP, SendGrid, SES, each of Anymail's services."""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin

import pytest

from carillon.contracts.provider import CannotVerify
from carillon.errors import PermanentFailure, Reason, TemporaryFailure
from carillon.settings import GivenSettings
from carillon.testing.http_double import HTTPDouble, HTTPRig, Reply, Request, says
from carillon.testing.patience import HASTE, PATIENCE, wait_at_most
from carillon.testing.providers import Rig
from carillon.testing.verifying import (
    Check,
    HTTPVerifyContract,
    VerifyContract,
    http_troubles,
    refused,
    trouble,
    verify,
)
from carillon.worker.providers.aws import AWSAccount
from email_worker.anymail_checks import CHECKS
from email_worker.mime import make_sender
from email_worker.providers.anymail import SERVICES, Account, AnymailProvider, factories
from email_worker.providers.sendgrid import SendGridProvider
from email_worker.providers.ses import SESProvider
from email_worker.providers.smtp import SMTPProvider, sender_from
from email_worker.smtp.opening import Server
from email_worker.tests.servers import RawServer, ScriptedServer
from email_worker.tests.test_ses import refusal as amazon_refuses

FROM = "Carillon <notifications@carillon.test>"
KEY = "canary-api-key"
SENDER = make_sender("Carillon", "notifications@carillon.test")


# --- SMTP


class SMTPVerifyRig(Rig):
    """The provider with a login, and a server that says whatever it is told to."""

    channel = "email"
    secrets = ("canary-password", "canary-user")

    def __init__(self, server: RawServer) -> None:
        self.server = server
        self.provider = SMTPProvider(
            Server(
                "127.0.0.1",
                server.port,
                username="canary-user",
                password="canary-password",
                timeout=PATIENCE,
            ),
            SENDER,
            now=lambda: datetime(2026, 1, 2, tzinfo=UTC),
        )

    def accept(self) -> None:
        self.server.turns = {"AUTH": b"235 2.7.0 welcome canary-user\r\n"}
        wait_at_most(self.provider, PATIENCE)

    @property
    def accepted(self) -> int:
        return len(self.server.mails)

    @property
    def connections(self) -> int:
        return self.server.open


def turn(word: str, answer: bytes | None) -> Callable[[SMTPVerifyRig], None]:
    def arrange(rig: SMTPVerifyRig) -> None:
        rig.accept()
        rig.server.turns[word] = answer
        if answer == b"":
            wait_at_most(rig.provider, HASTE)

    return arrange


_NO_LOGIN = b"535 5.7.8 canary-user: authentication failed\r\n"
_NO_AUTH = b"250-raw\r\n250 8BITMIME\r\n"


class TestSMTPVerifies(VerifyContract):
    checks = (
        refused("wrong password", turn("AUTH", _NO_LOGIN), "535 5.7.8"),
        refused("no login offered", turn("EHLO", _NO_AUTH)),
        refused("keeps us out", turn("HELLO", b"554 5.7.1 not you\r\n"), "554 5.7.1"),
        refused("refuses the NOOP", turn("NOOP", b"530 5.7.0 no\r\n"), "530 5.7.0"),
        trouble("login later", turn("AUTH", b"454 4.7.0 later\r\n"), code="454 4.7.0"),
        trouble("busy", turn("HELLO", b"421 4.3.2 too many\r\n"), code="421 4.3.2"),
        trouble("silent greeting", turn("HELLO", b""), Reason.TIMED_OUT),
        trouble("silent at the login", turn("AUTH", b""), Reason.TIMED_OUT),
        trouble("silent at the NOOP", turn("NOOP", b""), Reason.TIMED_OUT),
        trouble("hangs up at once", turn("HELLO", None)),
        trouble("hangs up at the NOOP", turn("NOOP", None)),
        trouble("not a mail server", turn("HELLO", b"HTTP/1.1 400 Bad\r\n\r\n")),
    )

    @pytest.fixture
    def rig(self) -> Iterator[SMTPVerifyRig]:
        with RawServer(extensions=("AUTH PLAIN",)) as server:
            rig = SMTPVerifyRig(server)
            yield rig
            rig.provider.close()


# aiosmtpd's, of a login without TLS.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(("password", "accepted"), [("right", True), ("wrong", False)])
def test_a_real_mail_server_is_logged_in_to(password: str, accepted: bool) -> None:
    with ScriptedServer(login=("ann", "right")) as server:
        at = Server("127.0.0.1", server.port, username="ann", password=password, timeout=PATIENCE)
        smtp = SMTPProvider(at, SENDER)
        if accepted:
            assert "accepts the login" in smtp.verify()
        else:
            with pytest.raises(PermanentFailure) as caught:
                smtp.verify()
            assert caught.value.reason is Reason.CONFIGURATION
        smtp.close()
        assert server.mails == []


def test_who_asks_for_no_login_says_so() -> None:
    with RawServer() as server:
        smtp = SMTPProvider(Server("127.0.0.1", server.port, timeout=PATIENCE), SENDER)
        assert "without a login" in smtp.verify()
        smtp.close()


def test_a_server_that_is_not_there_is_trouble() -> None:
    smtp = SMTPProvider(Server("127.0.0.1", 1, timeout=PATIENCE), SENDER)
    with pytest.raises(TemporaryFailure) as caught:
        smtp.verify()
    assert caught.value.reason is Reason.PROVIDER_UNAVAILABLE


def test_a_client_names_no_server_of_our_network() -> None:
    with RawServer() as server:
        settings = {
            "SMTP_URL": f"smtp://127.0.0.1:{server.port}",
            "EMAIL_FROM": FROM,
            "SMTP_PUBLIC_ONLY": "true",
        }
        smtp = SMTPProvider.from_environment(GivenSettings(settings))
        with pytest.raises(PermanentFailure, match="not at a public address"):
            smtp.verify()
        assert server.greetings == 0


# --- over HTTP


def never(_request: Request) -> Reply:
    """Where a test says what to answer, nothing is answered by chance."""
    return Reply(500)


class SendGridVerifyRig(HTTPRig):
    channel = "email"
    secrets = (KEY,)

    def __init__(self, double: HTTPDouble) -> None:
        super().__init__(double)
        self.provider = SendGridProvider(url=double.url, key=KEY, sender=FROM, timeout=PATIENCE)


class TestSendGridVerifies(HTTPVerifyContract):
    accepts = Reply(200, {"scopes": ["mail.batch.create", "mail.send", "user.email.read"]})
    checks = (
        *http_troubles(),
        refused("revoked key", says(Reply(401, {"errors": [{"message": f"no {KEY}"}]})), "401"),
        refused("a key for statistics", says(Reply(200, {"scopes": ["stats.read"]}))),
        trouble("no list", says(Reply(200, {"scopes": "mail.send"}))),
    )

    @pytest.fixture
    def rig(self) -> Iterator[SendGridVerifyRig]:
        with HTTPDouble(never) as double:
            rig = SendGridVerifyRig(double)
            yield rig
            rig.provider.close()

    def test_the_call_is_the_documented_one(self, rig: SendGridVerifyRig) -> None:
        self.lets_in(rig)
        verify(rig)
        (request,) = rig.double.requests
        assert (request.method, request.path) == ("GET", "/v3/scopes")
        assert request.headers["Authorization"] == f"Bearer {KEY}"


class SESVerifyRig(HTTPRig):
    channel = "email"
    secrets = ("canary-secret-access-key",)

    def __init__(self, double: HTTPDouble) -> None:
        super().__init__(double)
        account = AWSAccount(
            "eu-west-1", "CANARYKEYID", "canary-secret-access-key", double.url, PATIENCE
        )
        self.provider = SESProvider(account, sender_from(FROM))


def ses_account(**changes: object) -> Reply:
    """https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html"""
    said = {
        "DedicatedIpAutoWarmupEnabled": False,
        "EnforcementStatus": "HEALTHY",
        "ProductionAccessEnabled": True,
        "SendQuota": {"Max24HourSend": 50000.0, "MaxSendRate": 14.0, "SentLast24Hours": 0.0},
        "SendingEnabled": True,
    }
    return Reply(200, {**said, **changes})


class TestSESVerifies(HTTPVerifyContract):
    accepts = ses_account()
    checks = (
        *http_troubles(),
        refused(
            "no such key",
            says(amazon_refuses("UnrecognizedClientException", status=403)),
            "UnrecognizedClientException",
        ),
        refused("wrong secret", says(amazon_refuses("InvalidSignatureException", status=403))),
        refused(
            "paused",
            says(ses_account(SendingEnabled=False, EnforcementStatus="SHUTDOWN")),
        ),
        trouble(
            "throttled",
            says(amazon_refuses("TooManyRequestsException", status=429)),
            Reason.RATE_LIMITED,
        ),
        trouble("says nothing of it", says(Reply(200, {}))),
        Check(
            "may not look",
            says(amazon_refuses("AccessDeniedException", status=403)),
            CannotVerify,
        ),
    )

    @pytest.fixture
    def rig(self) -> Iterator[SESVerifyRig]:
        with HTTPDouble(never) as double:
            rig = SESVerifyRig(double)
            yield rig
            rig.provider.close()

    def test_the_sandbox_is_told(self, rig: SESVerifyRig) -> None:
        rig.double.says = ses_account(ProductionAccessEnabled=False)
        assert "sandbox" in verify(rig)
        (request,) = rig.double.requests
        assert (request.method, request.path) == ("GET", "/v2/email/account")


# --- Anymail's services


@dataclass(frozen=True)
class Documented:
    """What a service is asked, and how it answers to accounts that work and that do not."""

    call: tuple[str, str]
    accepts: Reply
    refuses: Reply
    header: tuple[str, str] = ("Accept", "application/json")
    body: bytes = b""


def basic(user: str) -> tuple[str, str]:
    return "Authorization", "Basic " + base64.b64encode(f"{user}:{KEY}".encode()).decode()


SERVICE_CHECKS: Mapping[str, Documented] = {
    "brevo": Documented(
        ("GET", "/account"),
        Reply(200, {"email": "ann@acme.example", "plan": []}),
        Reply(401, {"code": "unauthorized", "message": f"Key not found: {KEY}"}),
        ("api-key", KEY),
    ),
    "mailgun": Documented(
        ("POST", "/carillon.test/messages"),
        Reply(400, {"message": "from parameter is missing"}),
        Reply(401, body=b"Forbidden"),
        basic("api"),
        b"o%3Atestmode=yes",
    ),
    "mailjet": Documented(
        ("GET", "/v3/REST/sender?Limit=1"),
        Reply(200, {"Count": 0, "Data": [], "Total": 0}),
        Reply(401, {"ErrorMessage": "API key authentication/authorization failure."}),
        basic(KEY),
    ),
    "mandrill": Documented(
        ("POST", "/users/ping2.json"),
        Reply(200, {"PING": "PONG!"}),
        Reply(500, {"status": "error", "code": -1, "name": "Invalid_Key", "message": KEY}),
        body=b'{"key":"canary-api-key"}',
    ),
    "postmark": Documented(
        ("GET", "/server"),
        Reply(200, {"ID": 1, "Name": "Production", "ApiTokens": [KEY]}),
        Reply(401, {"ErrorCode": 10, "Message": "The Server Token is not valid."}),
        ("X-Postmark-Server-Token", KEY),
    ),
    "resend": Documented(
        ("GET", "/domains"),
        Reply(200, {"object": "list", "data": []}),
        Reply(401, {"statusCode": 401, "name": "validation_error", "message": KEY}),
        ("Authorization", f"Bearer {KEY}"),
    ),
    "sparkpost": Documented(
        ("GET", "/account"),
        Reply(200, {"results": {"status": "active", "company_name": "Acme"}}),
        Reply(401, {"errors": [{"message": "Unauthorized."}]}),
        ("Authorization", KEY),
    ),
}  # fmt: skip


class AnymailVerifyRig(HTTPRig):
    channel = "email"
    secrets = (KEY,)

    def __init__(self, service: str, double: HTTPDouble) -> None:
        super().__init__(double)
        credentials = dict.fromkeys(SERVICES[service].needs, KEY)
        account = Account(credentials, FROM, double.url, PATIENCE)
        self.provider = AnymailProvider(SERVICES[service], account)


@pytest.fixture
def of_service() -> Iterator[Callable[[str], AnymailVerifyRig]]:
    made: list[AnymailVerifyRig] = []
    with HTTPDouble(never) as double:

        def make(service: str) -> AnymailVerifyRig:
            made.append(AnymailVerifyRig(service, double))
            return made[-1]

        yield make
        for rig in made:
            rig.provider.close()


class TestPostmarkVerifies(HTTPVerifyContract):
    accepts = SERVICE_CHECKS["postmark"].accepts
    checks = (*http_troubles(), refused("token", says(SERVICE_CHECKS["postmark"].refuses), "401"))

    @pytest.fixture
    def rig(self, of_service: Callable[[str], AnymailVerifyRig]) -> AnymailVerifyRig:
        return of_service("postmark")


def test_every_service_has_its_check() -> None:
    assert set(CHECKS) == set(SERVICE_CHECKS) == set(factories())


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_asked_as_it_documents(
    service: str, of_service: Callable[[str], AnymailVerifyRig]
) -> None:
    rig, documented = of_service(service), SERVICE_CHECKS[service]
    rig.double.says = documented.accepts
    assert "accepts the key" in verify(rig)
    (request,) = rig.double.requests
    assert (request.method, request.path) == documented.call
    assert request.headers[documented.header[0]] == documented.header[1]
    assert request.body == documented.body
    assert KEY not in request.path


@pytest.mark.parametrize("service", SERVICES)
def test_a_key_that_a_service_refuses_is_refused(
    service: str, of_service: Callable[[str], AnymailVerifyRig]
) -> None:
    rig = of_service(service)
    rig.double.says = SERVICE_CHECKS[service].refuses
    with pytest.raises(PermanentFailure) as caught:
        verify(rig)
    assert caught.value.reason is Reason.CONFIGURATION
    assert KEY not in f"{caught.value!r} {caught.value.message} {caught.value.code}"


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "reply",
    [Reply(503), Reply(429), Reply(200, body=b"<html>"), Reply(200)],
    ids=("503", "429", "nonsense", "nothing"),
)
def test_a_service_in_trouble_says_nothing_of_the_key(
    service: str, reply: Reply, of_service: Callable[[str], AnymailVerifyRig]
) -> None:
    rig = of_service(service)
    rig.double.says = reply
    with pytest.raises(TemporaryFailure):
        verify(rig)


def test_a_key_that_may_only_send_is_verified(
    of_service: Callable[[str], AnymailVerifyRig],
) -> None:
    rig = of_service("resend")
    rig.double.says = Reply(401, {"name": "restricted_api_key", "message": "only send emails"})
    assert "send and do nothing else" in verify(rig)
    rig = of_service("sparkpost")
    rig.double.says = Reply(403, {"errors": [{"message": "Forbidden."}]})
    with pytest.raises(CannotVerify, match="Account: Read"):
        verify(rig)


def test_mailgun_knows_no_such_domain(of_service: Callable[[str], AnymailVerifyRig]) -> None:
    rig = of_service("mailgun")
    rig.double.says = Reply(404, {"message": "Domain not found: carillon.test"})
    with pytest.raises(PermanentFailure):
        verify(rig)


@pytest.mark.parametrize(
    ("api_url", "expected"),
    [
        ("https://api.mailjet.com/v3.1/", "https://api.mailjet.com/v3/REST/sender?Limit=1"),
        ("https://api.us.mailjet.com/v3.1/", "https://api.us.mailjet.com/v3/REST/sender?Limit=1"),
    ],
)
def test_mailjets_other_version_is_beside_the_one_for_sending(api_url: str, expected: str) -> None:
    assert urljoin(api_url, CHECKS["mailjet"].path({})) == expected
