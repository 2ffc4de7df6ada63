"""Files that go with a mail: fetched safely, encoded rightly, refused where they must be."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart

import pytest

from carillon.contracts.email import (
    ATTACHMENTS_BYTES,
    is_allowed_header,
    is_filename,
    is_header_value,
)
from carillon.contracts.messages import Attachment, EmailContent, decode_job, encode
from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure
from carillon.testing.http_double import HTTPDouble, Reply, Request
from carillon.testing.providers import delivery_job
from email_worker import attachments
from email_worker.attachments import Fetcher, files_of
from email_worker.mime import build_mail, make_sender
from email_worker.providers.sendgrid import SendGridProvider

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SENDER = make_sender("Carillon", "notifications@carillon.test")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@dataclass
class Shelf:
    """Files by their path, on a server of this machine."""

    files: dict[str, Reply] = field(default_factory=dict)

    def give(self, request: Request) -> Reply:
        return self.files.get(request.path, Reply(404))


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def server(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPDouble]:
    """Where `files_of` may fetch from, though it is on this machine."""
    monkeypatch.setattr(attachments, "fetcher", lambda: Fetcher(allow_loopback=True))
    with HTTPDouble(shelf.give) as running:
        yield running


def content(*files: Attachment, **more: object) -> EmailContent:
    return EmailContent("Hello", "text", '<img src="cid:logo">', attachments=files, **more)  # type: ignore[arg-type]


def mail_of(given: EmailContent) -> EmailMessage:
    """As a reader parses it."""
    built = build_mail(delivery_job("email", content=given), SENDER, NOW)
    assert max(map(len, built.data.split(b"\r\n"))) <= 998
    parsed = message_from_bytes(built.data, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not parsed.defects
    return parsed


def shape(part: MIMEPart) -> object:
    """The tree of types."""
    if not part.is_multipart():
        return part.get_content_type()
    return part.get_content_type(), [shape(each) for each in part.iter_parts()]


def test_files_survive_the_queue_and_the_mail() -> None:
    files = (
        Attachment("Rechnung März.pdf", "application/pdf", b"%PDF-1.7 \x00\xff"),
        Attachment("logo.png", "image/png", PNG, content_id="logo"),
    )
    job = decode_job(encode(delivery_job("email", content=content(*files))))
    assert isinstance(job.content, EmailContent)
    mail = mail_of(job.content)
    assert shape(mail) == (
        "multipart/mixed",
        [
            (
                "multipart/related",
                [("multipart/alternative", ["text/plain", "text/html"]), "image/png"],
            ),
            "application/pdf",
        ],
    )
    (saved,) = [part for part in mail.walk() if part.get_content_type() == "application/pdf"]
    assert saved.get_filename() == "Rechnung März.pdf"
    assert saved.get_content_disposition() == "attachment"
    assert saved.get_payload(decode=True) == files[0].data
    (shown,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert (shown["Content-ID"], shown.get_content_disposition()) == ("<logo>", "inline")
    assert shown.get_payload(decode=True) == PNG


def test_a_mail_without_files_is_as_it_was() -> None:
    mail = mail_of(content())
    assert shape(mail) == ("multipart/alternative", ["text/plain", "text/html"])


@pytest.mark.parametrize(
    "name", ["a.txt", "Ä" * 150, "日本語の長い名前" * 12 + ".pdf", "it's 5% (1).csv"]
)
def test_any_name_that_is_one_comes_back(name: str) -> None:
    mail = mail_of(content(Attachment(name, "text/csv", b"1")))
    (saved,) = [part for part in mail.walk() if part.get_content_type() == "text/csv"]
    assert saved.get_filename() == name


@pytest.mark.parametrize("name", ["", "a/b", "a\\b", 'a"b', "a\r\nX: y", "..", "a\x00", "x" * 151])
def test_what_is_no_name_is_refused(name: str) -> None:
    assert not is_filename(name)
    with pytest.raises(PermanentFailure) as caught:
        files_of(content(Attachment(name, "text/plain", b"1")))
    assert caught.value.reason is Reason.INVALID_CONTENT


@pytest.mark.parametrize(
    "content_type", ["text", "text/plain\r\nX: y", "message/rfc822", "multipart/mixed", "a/b/c"]
)
def test_what_is_no_type_of_a_file_is_refused(content_type: str) -> None:
    with pytest.raises(PermanentFailure):
        files_of(content(Attachment("a.txt", content_type, b"1")))


def test_a_file_is_fetched_with_its_type(shelf: Shelf, server: HTTPDouble) -> None:
    shelf.files["/a.png"] = Reply(200, body=PNG, headers={"Content-Type": "image/png; x=y"})
    shelf.files["/b"] = Reply(200, body=b"b")
    given = content(
        Attachment("a.png", url=f"{server.url}/a.png"), Attachment("b", url=f"{server.url}/b")
    )
    one, two = files_of(given)
    assert (one.data, one.content_type) == (PNG, "image/png")
    assert (two.data, two.content_type) == (b"b", attachments.UNKNOWN_TYPE)


@pytest.mark.parametrize(
    ("status", "failure", "reason"),
    [
        (404, PermanentFailure, Reason.INVALID_CONTENT),
        (403, PermanentFailure, Reason.INVALID_CONTENT),
        (302, PermanentFailure, Reason.INVALID_CONTENT),
        (429, TemporaryFailure, Reason.OTHER),
        (503, TemporaryFailure, Reason.OTHER),
    ],
)
def test_what_cannot_be_fetched_is_told_as_the_mails_own_trouble(
    shelf: Shelf, server: HTTPDouble, status: int, failure: type[DeliveryFailure], reason: Reason
) -> None:
    shelf.files["/secret-path"] = Reply(status, headers={"Location": f"{server.url}/elsewhere"})
    with pytest.raises(failure) as caught:
        files_of(content(Attachment("a", url=f"{server.url}/secret-path")))
    assert caught.value.reason is reason
    assert "secret-path" not in caught.value.message
    assert [request.path for request in server.requests] == ["/secret-path"]


def test_nobody_there_is_temporary(server: HTTPDouble) -> None:
    with pytest.raises(TemporaryFailure):
        files_of(content(Attachment("a", url="http://127.0.0.1:1/a")))


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/a",
        "https://localhost/a",
        "https://10.0.0.1/a",
        "https://192.168.1.1/a",
        "https://169.254.169.254/latest/meta-data/",
        "https://168.63.129.16/a",
        "https://100.64.0.1/a",
        "https://[::1]/a",
        "https://[::ffff:10.0.0.1]/a",
        "https://[::127.0.0.1]/a",
        "https://[fd00::1]/a",
        "https://[fec0::1]/a",
        "https://2130706433/a",
        "http://93.184.215.14/a",
        "file:///etc/passwd",
        "ftp://example.com/a",
        "https://",
    ],
)
def test_our_own_network_is_never_asked(url: str) -> None:
    with pytest.raises(PermanentFailure) as caught:
        files_of(content(Attachment("a", url=url)))
    assert caught.value.reason is Reason.INVALID_CONTENT


def test_what_is_too_large_is_not_read_to_its_end(shelf: Shelf, server: HTTPDouble) -> None:
    shelf.files["/a"] = Reply(200, body=bytes(ATTACHMENTS_BYTES + 1))
    with pytest.raises(PermanentFailure) as caught:
        files_of(content(Attachment("a", url=f"{server.url}/a")))
    assert caught.value.reason is Reason.PAYLOAD_TOO_LARGE


def test_all_files_together_have_a_bound(shelf: Shelf, server: HTTPDouble) -> None:
    half = Attachment("a", "text/plain", bytes(ATTACHMENTS_BYTES // 2 + 1))
    with pytest.raises(PermanentFailure) as caught:
        files_of(content(half, half))
    assert caught.value.reason is Reason.PAYLOAD_TOO_LARGE


def test_headers_of_the_client_and_where_to_answer() -> None:
    given = content(
        headers={"X-Campaign": "spring", "In-Reply-To": "<a@example.com>"},
        reply_to="support@example.com",
    )
    mail = mail_of(given)
    assert mail["X-Campaign"] == "spring"
    assert mail["In-Reply-To"] == "<a@example.com>"
    assert mail["Reply-To"] == "support@example.com"


@pytest.mark.parametrize(
    "name",
    ["To", "Bcc", "Subject", "Reply-To", "Content-Type", "DKIM-Signature", "X-Notification-ID",
     "X-SMTPAPI", "X-SES-MESSAGE-TAGS", "List-Unsubscribe", "X-A:B", "X-", ""],
)  # fmt: skip
def test_headers_that_are_not_the_clients_are_refused(name: str) -> None:
    assert not is_allowed_header(name)
    with pytest.raises(PermanentFailure):
        mail_of(content(headers={name: "1"}))


@pytest.mark.parametrize("value", ["", " ", "a\r\nBcc: b@example.com", "ä", "x" * 501])
def test_values_that_a_line_cannot_carry_are_refused(value: str) -> None:
    assert not is_header_value(value)
    with pytest.raises(PermanentFailure):
        mail_of(content(headers={"X-Campaign": value}))


@pytest.mark.parametrize("address", ["nobody", "a@b\r\nBcc: c@d", "ä@example.com"])
def test_an_address_to_answer_to_is_one(address: str) -> None:
    with pytest.raises(PermanentFailure):
        mail_of(content(reply_to=address))


def test_sendgrid_gets_them_in_its_own_words() -> None:
    given = content(
        Attachment("a.txt", "text/plain", b"hello"),
        Attachment("logo.png", "image/png", PNG, content_id="logo"),
        headers={"X-Campaign": "spring"},
        reply_to="support@example.com",
    )
    with HTTPDouble(lambda _: Reply(202, headers={"X-Message-Id": "1"}, took=True)) as double:
        sendgrid = SendGridProvider(url=double.url, key="SG.k", sender="a@example.com")
        sendgrid.send(delivery_job("email", content=given))
        sendgrid.close()
        body = double.requests[0].json
    assert body["reply_to"] == {"email": "support@example.com"}
    assert body["headers"]["X-Campaign"] == "spring"
    assert "Reply-To" not in body["headers"]
    saved, shown = body["attachments"]
    assert (saved["content"], saved["disposition"]) == ("aGVsbG8=", "attachment")
    assert (shown["content_id"], shown["disposition"]) == ("logo", "inline")
