"""The SMTP provider against real servers: aiosmtpd, and one whose connections break."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from carillon.contracts.messages import Address, DeliveryJob, EmailContent
from carillon.contracts.provider import Acceptance, OutcomeUnknown
from carillon.errors import PermanentFailure, Reason, TemporaryFailure
from carillon.settings import Environment, SettingsError
from carillon.testing.providers import delivery_job
from email_worker.mime import make_sender
from email_worker.providers.smtp import SMTPProvider, sender_from, server_from
from email_worker.smtp import public
from email_worker.smtp.opening import Server
from email_worker.smtp.pool import Lifetime
from email_worker.tests.servers import RawServer, ScriptedServer

SENDER = make_sender("Carillon", "notifications@carillon.test")
LOGIN = ("carillon", "correct horse")


def provider_for(
    server: ScriptedServer | RawServer, lifetime: Lifetime | None = None, **options: object
) -> SMTPProvider:
    where = Server("127.0.0.1", server.port, timeout=60.0, **options)  # type: ignore[arg-type]
    return SMTPProvider(where, SENDER, lifetime=lifetime)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(enable_SMTPUTF8=True) as server:
        yield server


@pytest.fixture
def raw() -> Iterator[RawServer]:
    with RawServer(extensions=("PIPELINING",)) as server:
        yield server


def test_a_mail_arrives_as_it_was_written(server: ScriptedServer) -> None:
    provider = provider_for(server)
    job = delivery_job()
    acceptance = provider.send(job)
    provider.close()
    [envelope] = server.mails
    assert envelope.mail_from == "notifications@carillon.test"
    assert envelope.rcpt_tos == [job.addresses[0].value]
    assert isinstance(envelope.content, bytes)
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert message["X-Correlation-ID"] == job.correlation_id
    assert message["Message-ID"] == f"<{acceptance.provider_message_id}>"


def test_dots_survive_the_wire(server: ScriptedServer) -> None:
    provider = provider_for(server)
    body = ".\n..\n.hidden\nend\n."
    provider.send(delivery_job(content=EmailContent("dots", body)))
    provider.close()
    assert isinstance(server.mails[0].content, bytes)
    message = message_from_bytes(server.mails[0].content, policy=policy.default)
    assert message.get_content().replace("\r\n", "\n") == body + "\n"


def test_connections_are_kept(server: ScriptedServer) -> None:
    provider = provider_for(server)
    for _ in range(5):
        provider.send(delivery_job())
    provider.close()
    assert server.greetings == 1
    assert len(server.mails) == 5


def test_connections_are_given_up_in_time(server: ScriptedServer) -> None:
    provider = provider_for(server, Lifetime(mails=2))
    for _ in range(5):
        provider.send(delivery_job())
    provider.close()
    assert server.greetings == 3


def test_an_idle_connection_is_not_kept_for_ever(server: ScriptedServer) -> None:
    provider = provider_for(server, Lifetime(idle=0.0))
    provider.send(delivery_job())
    provider.send(delivery_job())
    provider.close()
    assert server.greetings == 2


def test_a_connection_that_the_server_closed_is_replaced(raw: RawServer) -> None:
    provider = provider_for(raw)
    provider.send(delivery_job())
    raw.hang_up()
    deadline = time.monotonic() + 60
    while raw.open and time.monotonic() < deadline:
        time.sleep(0.005)
    provider.send(delivery_job())
    provider.close()
    assert raw.greetings == 2
    assert len(raw.mails) == 2


def test_a_kept_connection_that_closes_at_once_is_replaced_without_a_failure(
    raw: RawServer,
) -> None:
    """The race that no look beforehand can win: the server hangs up as the command arrives."""
    provider = provider_for(raw)
    provider.send(delivery_job())
    raw.turns["MAIL"] = None

    class Healing(dict[str, bytes | None]):
        def get(self, key: str, default: bytes | None = None) -> bytes | None:  # type: ignore[override]
            return self.pop(key) if key in self else default

    raw.turns = Healing(raw.turns)
    provider.send(delivery_job())
    provider.close()
    assert raw.greetings == 2
    assert len(raw.mails) == 2


def test_a_server_that_always_hangs_up_is_not_asked_for_ever(raw: RawServer) -> None:
    provider = provider_for(raw)
    provider.send(delivery_job())
    raw.turns["MAIL"] = None
    with pytest.raises(TemporaryFailure):
        provider.send(delivery_job())
    provider.close()
    assert raw.greetings == 2


def test_pipelining_takes_two_round_trips(raw: RawServer) -> None:
    provider = provider_for(raw)
    provider.send(delivery_job())
    raw.batches.clear()
    provider.send(delivery_job())
    provider.close()
    commands = raw.batches[0].split(b"\r\n")
    assert [command[:4] for command in commands] == [b"MAIL", b"RCPT", b"DATA", b""]


def jobs_to(*names: str) -> list[DeliveryJob]:
    return [delivery_job(addresses=(Address(f"{name}@example.com"),)) for name in names]


def test_several_mails_take_one_round_trip_each(raw: RawServer) -> None:
    """The commands of a mail travel with the mail before (RFC 2920)."""
    provider = provider_for(raw)
    provider.send(delivery_job())
    raw.batches.clear()
    jobs = jobs_to("a", "b", "c")
    answers = list(provider.send_in_turn(jobs))
    provider.close()
    assert [type(answer) for answer in answers] == [Acceptance] * 3
    assert (raw.greetings, len(raw.mails)) == (1, 4)
    # The first one's commands, three mails, and perhaps the goodbye.
    assert len(raw.batches) <= 5
    for mail, job in zip(raw.mails[1:], jobs, strict=True):
        assert job.addresses[0].value.encode() in mail
    assert [
        command for command in b"".join(raw.batches).split(b"\r\n") if command.startswith(b"RCPT")
    ] == [b"RCPT TO:<%b@example.com>" % name for name in (b"a", b"b", b"c")]


def test_without_pipelining_several_go_one_after_the_other(server: ScriptedServer) -> None:
    provider = provider_for(server)
    answers = list(provider.send_in_turn(jobs_to("a", "b", "c")))
    provider.close()
    assert [type(answer) for answer in answers] == [Acceptance] * 3
    assert [envelope.rcpt_tos for envelope in server.mails] == [
        ["a@example.com"], ["b@example.com"], ["c@example.com"]
    ]  # fmt: skip
    assert server.greetings == 1


class Choosy(dict[str, bytes | None]):
    """Answers to each time that a word comes, in turn; then the usual."""

    def __init__(self, word: str, *answers: bytes | None) -> None:
        super().__init__()
        self._word = word
        # The server looks twice what to say to the end of a mail.
        times = 2 if word == "DOT" else 1
        self._answers = [answer for answer in answers for _ in range(times)]

    def get(self, key: str, default: bytes | None = None) -> bytes | None:  # type: ignore[override]
        if key != self._word or not self._answers:
            return default
        answer = self._answers.pop(0)
        return default if answer == b"usual" else answer


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA", "DOT"])
def test_a_refusal_in_between_harms_only_its_mail(raw: RawServer, word: str) -> None:
    raw.turns = Choosy(word, b"usual", b"550-no\r\n550 5.1.1 no\r\n", b"usual")
    provider = provider_for(raw)
    first, second, third = provider.send_in_turn(jobs_to("a", "b", "c"))
    provider.close()
    assert isinstance(first, Acceptance)
    assert isinstance(second, PermanentFailure)
    assert isinstance(third, Acceptance)
    sent = [mail for mail in raw.mails if mail]
    assert [b"a@example.com" in sent[0], b"c@example.com" in sent[1]] == [True, True]
    assert (len(sent), raw.greetings) == (2, 1)


def test_a_mail_that_was_begun_when_the_server_hung_up_is_sent_anew(raw: RawServer) -> None:
    """It answers for the first mail, and closes: nothing of the second was accepted."""
    raw.turns = Choosy("MAIL", b"usual", None)
    provider = provider_for(raw)
    answers = list(provider.send_in_turn(jobs_to("a", "b", "c")))
    provider.close()
    assert [type(answer) for answer in answers] == [Acceptance] * 3
    assert [name in mail for name, mail in zip((b"a@", b"b@", b"c@"), raw.mails, strict=True)] == [
        True
    ] * 3
    assert raw.greetings == 2


def test_a_lost_answer_is_unknown_for_its_mail_alone(raw: RawServer) -> None:
    raw.turns = Choosy("DOT", b"usual", None)
    provider = provider_for(raw)
    first, second, third = provider.send_in_turn(jobs_to("a", "b", "c"))
    provider.close()
    assert isinstance(first, Acceptance)
    assert isinstance(second, OutcomeUnknown)
    assert isinstance(third, Acceptance)
    assert raw.greetings == 2


def test_a_server_that_shuts_down_takes_what_it_has(raw: RawServer) -> None:
    raw.turns = Choosy("DOT", b"421 4.3.2 shutting down\r\n")
    provider = provider_for(raw)
    first, second = provider.send_in_turn(jobs_to("a", "b"))
    provider.close()
    assert isinstance(first, TemporaryFailure)
    assert isinstance(second, Acceptance)
    assert raw.greetings == 2


def test_who_asks_no_more_leaves_nothing_half_sent(raw: RawServer) -> None:
    provider = provider_for(raw)
    answers = provider.send_in_turn(jobs_to("a", "b", "c"))
    assert isinstance(next(answers), Acceptance)
    answers.close()  # type: ignore[attr-defined]
    assert isinstance(provider.send(jobs_to("d")[0]), Acceptance)
    provider.close()
    assert [b"a@example.com" in raw.mails[0], b"d@example.com" in raw.mails[1]] == [True, True]
    assert (len(raw.mails), raw.greetings) == (2, 2)


def test_a_job_that_makes_no_mail_harms_only_itself(raw: RawServer) -> None:
    provider = provider_for(raw)
    jobs = jobs_to("a", "b")
    jobs.insert(1, delivery_job(content=EmailContent("line\nbreak", "x")))
    first, second, third = provider.send_in_turn(jobs)
    provider.close()
    assert isinstance(second, PermanentFailure)
    assert second.reason is Reason.INVALID_CONTENT
    assert isinstance(first, Acceptance)
    assert isinstance(third, Acceptance)
    assert raw.greetings == 1


def test_a_connection_takes_no_more_in_a_row_than_it_may(server: ScriptedServer) -> None:
    provider = provider_for(server, Lifetime(mails=2))
    answers = list(provider.send_in_turn(jobs_to("a", "b", "c", "d", "e")))
    provider.close()
    assert len(answers) == len(server.mails) == 5
    assert server.greetings == 3


def test_data_that_a_refusing_server_asks_for_all_the_same_is_empty(raw: RawServer) -> None:
    raw.turns["RCPT"] = b"550 5.1.1 no\r\n"
    provider = provider_for(raw)
    with pytest.raises(PermanentFailure):
        provider.send(delivery_job())
    raw.turns.clear()
    assert raw.mails == [b""]
    provider.send(delivery_job())
    provider.close()
    assert raw.greetings == 1


def test_a_refusal_keeps_the_connection(server: ScriptedServer) -> None:
    server.replies["RCPT"] = "550 5.1.1 <{address}> unknown"
    provider = provider_for(server)
    for _ in range(3):
        with pytest.raises(PermanentFailure):
            provider.send(delivery_job())
    server.replies.clear()
    provider.send(delivery_job())
    provider.close()
    assert server.greetings == 1


def test_one_of_several_recipients_is_enough(raw: RawServer) -> None:
    raw.turns["RCPT"] = b"250 ok\r\n"
    job = delivery_job(addresses=(Address("a@example.com"), Address("b@example.com")))
    provider = provider_for(raw)
    provider.send(job)
    provider.close()
    assert b"RCPT TO:<a@example.com>\r\nRCPT TO:<b@example.com>\r\n" in b"".join(raw.batches)


def test_smtputf8_is_used_where_the_server_has_it(server: ScriptedServer) -> None:
    provider = provider_for(server)
    provider.send(delivery_job(addresses=(Address("jürgen@müller.de"),)))
    provider.close()
    [envelope] = server.mails
    assert envelope.rcpt_tos == ["jürgen@xn--mller-kva.de"]
    assert envelope.smtp_utf8


def test_without_smtputf8_such_an_address_is_permanent() -> None:
    with ScriptedServer(enable_SMTPUTF8=False) as server:
        provider = provider_for(server)
        with pytest.raises(PermanentFailure) as caught:
            provider.send(delivery_job(addresses=(Address("jürgen@müller.de"),)))
        assert caught.value.reason is Reason.INVALID_ADDRESS
        provider.send(delivery_job())
        provider.close()
        assert server.greetings == 1


def test_a_mail_larger_than_the_server_takes_is_not_sent() -> None:
    with ScriptedServer(data_size_limit=2000) as server:
        provider = provider_for(server)
        content = EmailContent("big", "x" * 3000)
        with pytest.raises(PermanentFailure) as caught:
            provider.send(delivery_job(content=content))
        provider.close()
        assert caught.value.reason is Reason.PAYLOAD_TOO_LARGE


def test_nobody_listens() -> None:
    # Nobody else gets the port while it is bound.
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        at = Server("127.0.0.1", bound.getsockname()[1], timeout=60.0)
        with pytest.raises(TemporaryFailure) as caught:
            SMTPProvider(at, SENDER).send(delivery_job())
    assert caught.value.reason is Reason.PROVIDER_UNAVAILABLE


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key, for 127.0.0.1, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    key, pem = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", str(key), "-out", str(pem),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    both = folder / "both.pem"
    both.write_text(pem.read_text() + key.read_text())
    return both


def tls_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize("public_only", [False, True])
def test_starttls_and_login(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, public_only: bool
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(public, "is_public", lambda _address: True)
    with ScriptedServer(login=LOGIN, tls=tls_context(certificate)) as server:
        provider = provider_for(
            server,
            security="starttls",
            username=LOGIN[0],
            password=LOGIN[1],
            public_only=public_only,
        )
        assert "accepts the login" in provider.verify()
        server.greetings = 0
        for _ in range(3):
            provider.send(delivery_job())
        provider.close()
        assert len(server.mails) == 3
        assert server.greetings == 1


@pytest.mark.parametrize("public_only", [False, True])
def test_tls_from_the_first_byte_on(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, public_only: bool
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(public, "is_public", lambda _address: True)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            plain, _ = listener.accept()
            with tls_context(certificate).wrap_socket(plain, server_side=True) as secured:
                secured.sendall(b"220 hello\r\n")
                for said in secured.makefile("rb"):
                    secured.sendall(b"221 bye\r\n" if said == b"QUIT\r\n" else b"250 ok\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        at = Server(
            "127.0.0.1", listener.getsockname()[1], "tls", timeout=60, public_only=public_only
        )
        provider = SMTPProvider(at, SENDER)
        assert "without a login" in provider.verify()
        thread.join(60)
        assert not thread.is_alive()


def test_a_certificate_of_nobody_we_trust_is_refused(certificate: Path) -> None:
    with ScriptedServer(tls=tls_context(certificate)) as server:
        provider = provider_for(server, security="starttls")
        with pytest.raises(PermanentFailure) as caught:
            provider.send(delivery_job())
        assert caught.value.reason is Reason.CONFIGURATION
        assert server.mails == []


def test_a_wrong_password_is_told_without_it(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with ScriptedServer(login=LOGIN, tls=tls_context(certificate)) as server:
        provider = provider_for(server, security="starttls", username="carillon", password="wrong1")
        with pytest.raises(PermanentFailure) as caught:
            provider.send(delivery_job())
        assert caught.value.reason is Reason.CONFIGURATION
        assert caught.value.code == "535 5.7.8"
        assert "wrong1" not in str(caught.value)


def test_encryption_that_the_server_lacks_is_not_done_without(server: ScriptedServer) -> None:
    provider = provider_for(server, security="starttls")
    with pytest.raises(PermanentFailure) as caught:
        provider.send(delivery_job())
    assert caught.value.reason is Reason.CONFIGURATION
    assert server.mails == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://127.0.0.1:1025", Server("127.0.0.1", 1025)),
        ("smtp://mail.example.com", Server("mail.example.com", 25)),
        ("smtps://mail.example.com", Server("mail.example.com", 465, "tls")),
        (
            "smtp://ada%40example.com:p%2Fw%3A@mail.example.com?starttls=true",
            Server("mail.example.com", 587, "starttls", "ada@example.com", "p/w:"),
        ),
    ],
)
def test_the_url_says_where_and_how(url: str, expected: Server) -> None:
    assert server_from(url, timeout=10.0) == expected


@pytest.mark.parametrize(
    "url", ["smtp://h?tls=1", "smtp://h?starttls=maybe", "smtp://h/path", "smtp://h?starttls=1"]
)
def test_a_url_that_means_something_else_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="SMTP_URL"):
        server_from(url, timeout=10.0)


@pytest.mark.parametrize("text", ["nobody", "Carillon <>", "a@x, b@y", "N\r\nBcc: e@x <a@x.com>"])
def test_a_sender_that_is_none_stops_the_start(text: str) -> None:
    with pytest.raises(SettingsError, match="EMAIL_FROM"):
        sender_from(text)


def test_it_is_made_from_settings(monkeypatch: pytest.MonkeyPatch, server: ScriptedServer) -> None:
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{server.port}")
    monkeypatch.setenv("EMAIL_FROM", '"Acme, Inc" <hello@acme.example>')
    provider = SMTPProvider.from_environment(Environment(files=()))
    provider.send(delivery_job())
    provider.close()
    assert server.mails[0].mail_from == "hello@acme.example"
