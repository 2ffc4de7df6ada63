"""What is built reads back as what was meant, by the standard library's parser."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.contracts.messages import Address, EmailContent
from carillon.errors import PermanentFailure, Reason
from carillon.testing.providers import delivery_job
from email_worker.mailbox import InvalidMailbox
from email_worker.mime import Mail, build_mail, make_sender

SENDER = make_sender("Carillon", "notifications@carillon.test")
NOW = datetime(2026, 3, 4, 5, 6, 7, 890, tzinfo=UTC)

# Everything that is Unicode, but for what headers refuse.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
HEADER_TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=120
)
ASCII_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200)


def mail_of(
    subject: str = "Hello",
    body: str = "",
    html: str = "",
    *,
    name: str = "",
    to: str = "ada@example.com",
    correlation_id: str = "corr_1",
) -> Mail:
    job = delivery_job(
        content=EmailContent(subject, body, html),
        recipient_name=name,
        addresses=(Address(to),),
        correlation_id=correlation_id,
    )
    return build_mail(job, SENDER, NOW)


def parsed(mail: Mail) -> EmailMessage:
    message = message_from_bytes(mail.data, policy=policy.default)
    assert message.defects == []
    return message


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    content = part.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def line_breaks_as_received(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def assert_fit_for_the_wire(mail: Mail) -> None:
    """RFC 5321, 4.5.3.1.6 and 2.3.8: lines of 1000 octets at most, no CR or LF alone."""
    assert mail.data.endswith(b"\r\n")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", mail.data)
    assert max(len(line) for line in mail.data.split(b"\r\n")) <= 998
    assert mail.needs_smtputf8 or mail.data.isascii()
    assert b"\0" not in mail.data


def assert_no_header_was_added(mail: Mail) -> None:
    names = [name.lower() for name in parsed(mail)]
    assert names[:9] == [
        "from", "to", "subject", "date", "message-id", "mime-version", "auto-submitted",
        "x-notification-id", "x-correlation-id",
    ]  # fmt: skip
    assert set(names[9:]) <= {"content-type", "content-transfer-encoding"}


@given(subject=HEADER_TEXT)
def test_any_subject_reads_back(subject: str) -> None:
    mail = mail_of(subject, "x")
    assert_fit_for_the_wire(mail)
    assert_no_header_was_added(mail)
    raw = message_from_bytes(mail.data, policy=policy.compat32)["Subject"]
    assert decoded(raw) == subject


def decoded(raw: str) -> str:
    """RFC 2047 alone, without what the newer parser makes of control characters."""
    parts = [
        part.decode(charset or "ascii") if isinstance(part, bytes) else part
        for part, charset in decode_header(re.sub(r"\r\n ", " ", raw))
    ]
    return "".join(parts)


@given(name=HEADER_TEXT)
def test_any_name_reads_back(name: str) -> None:
    mail = mail_of(name=name, body="x")
    assert_fit_for_the_wire(mail)
    assert_no_header_was_added(mail)
    assert [mailbox.address for mailbox in mail.recipients] == ["ada@example.com"]
    raw = message_from_bytes(mail.data, policy=policy.compat32)["To"]
    if not name.strip():
        assert raw == "ada@example.com"
        return
    phrase = re.fullmatch(r'(".*"|=\?.*\?=)\s+<ada@example\.com>', raw, re.DOTALL)
    assert phrase is not None
    read = phrase.group(1)
    if read.startswith('"'):
        read = re.sub(r"\\(.)", r"\1", read[1:-1])
    assert decoded(read) == name.strip()


def test_a_long_name_reads_back() -> None:
    # Not by policy.default: it puts a space between the encoded words of a phrase.
    raw = message_from_bytes(mail_of(name="a" * 300, body="x").data, policy=policy.compat32)["To"]
    assert decoded(raw.rpartition("\r\n")[0]) == "a" * 300


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace",
        'Ada "the Countess" Lovelace',
        "back\\slash",
        "Lovelace, Ada",
        "<eve@example.com>",
        "Ada (comment)",
        "Jürgen Größe",
        "=?utf-8?q?=0D=0ABcc:_eve@example.com?=",
        "名前",
        "a" * 60,
    ],
)
def test_a_name_is_one_name_of_one_recipient(name: str) -> None:
    to = parsed(mail_of(name=name, body="x"))["To"]
    assert [(each.display_name, each.addr_spec) for each in to.addresses] == [
        (name, "ada@example.com")
    ]


@given(body=TEXT)
def test_any_text_reads_back(body: str) -> None:
    mail = mail_of(body=body)
    assert_fit_for_the_wire(mail)
    assert_no_header_was_added(mail)
    assert text_of(parsed(mail), "plain") in {
        line_breaks_as_received(body),
        line_breaks_as_received(body) + "\n",
    }


@given(body=TEXT.filter(bool), html=TEXT.filter(bool))
def test_both_alternatives_read_back(body: str, html: str) -> None:
    mail = mail_of(body=body, html=html)
    assert_fit_for_the_wire(mail)
    message = parsed(mail)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "text/plain",
        "text/html",
    ]
    assert text_of(message, "plain") == line_breaks_as_received(body)
    assert text_of(message, "html") == line_breaks_as_received(html)


@given(lines=st.lists(ASCII_TEXT, min_size=1, max_size=20), long=st.integers(900, 3000))
def test_long_lines_and_many_lines_read_back(lines: list[str], long: int) -> None:
    body = "\n".join([*lines, "x" * long, "ü" * long])
    mail = mail_of(body="\n".join([*lines, "x" * long]), html=body)
    assert_fit_for_the_wire(mail)
    assert text_of(parsed(mail), "html") == body


@pytest.mark.parametrize(
    "body",
    [
        ".", "..", ".\n.\n", "\n.\n", "a\n.\nb", "From here", "a\n\nFrom b", "=", "=20", "a \nb\t",
        "\n\n\n", " ", "tab\there", "-- \nsignature", "\x0c", "\x00", "\x1b[31m", "a\rb", "a\r\nb",
        "a\n\rb", "\x85", "\u2028", "ü\u2028x", "=_boundary", "--=_boundary--",
    ],
)  # fmt: skip
def test_awkward_bodies_read_back(body: str) -> None:
    mail = mail_of(body=body, html=body)
    assert_fit_for_the_wire(mail)
    assert text_of(parsed(mail), "plain") == line_breaks_as_received(body)


def test_html_alone_is_not_multipart() -> None:
    message = parsed(mail_of(html="<p>Grüße</p>"))
    assert message.get_content_type() == "text/html"
    assert text_of(message, "html") == "<p>Grüße</p>\n"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        ("plain", "7bit"),
        ("mostly plain, and one ü", "quoted-printable"),
        ("日本語のテキスト", "base64"),
        ("x" * 2000, "quoted-printable"),
    ],
)
def test_the_encoding_suits_the_text(body: str, encoding: str) -> None:
    assert parsed(mail_of(body=body))["Content-Transfer-Encoding"] == encoding


@pytest.mark.parametrize("character", ["\r", "\n", "\0", "\r\n"])
@pytest.mark.parametrize("field", ["subject", "name", "to", "correlation_id"])
def test_line_breaks_cannot_reach_a_header(field: str, character: str) -> None:
    injected = f"x{character}Bcc: eve@example.com"
    with pytest.raises(PermanentFailure) as caught:
        mail_of(**{field: injected})
    expected = Reason.INVALID_ADDRESS if field == "to" else Reason.INVALID_CONTENT
    assert caught.value.reason is expected
    assert "eve@" not in caught.value.message


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?hello=0D=0ABcc:_eve@example.com?=",
        "=?utf-8?b?aGkNCkJjYzogZXZlQGV4YW1wbGUuY29t?=",
        "ü =?utf-8?q?=0ABcc:_eve@example.com?=",
    ],
)
def test_an_encoded_word_in_a_subject_stays_text(subject: str) -> None:
    mail = mail_of(subject, "x")
    assert_no_header_was_added(mail)
    message = parsed(mail)
    assert message["Bcc"] is None
    assert message["Subject"] == subject
    # And what was read can be written again without the injected header.
    assert b"\nBcc:" not in message.as_bytes()


@pytest.mark.parametrize("field", ["subject", "body", "html", "name"])
def test_a_lone_surrogate_is_permanent(field: str) -> None:
    with pytest.raises(PermanentFailure) as caught:
        mail_of(**{"body": "x", field: "a\ud800"})
    assert caught.value.reason is Reason.INVALID_CONTENT


def test_the_headers_tell_where_it_came_from() -> None:
    job = delivery_job(content=EmailContent("Hello", "x"))
    mail = build_mail(job, SENDER, NOW)
    message = parsed(mail)
    assert message["Message-ID"] == f"<{job.notification_id}@carillon.test>"
    assert mail.message_id == f"{job.notification_id}@carillon.test"
    assert message["X-Notification-ID"] == job.notification_id
    assert message["X-Correlation-ID"] == job.correlation_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(message["Date"]) == NOW.replace(microsecond=0)
    assert message["From"].addresses[0].display_name == "Carillon"


def test_a_retry_keeps_the_message_id() -> None:
    first = delivery_job(content=EmailContent("Hello", "x"))
    again = delivery_job(notification_id=first.notification_id, attempt=2, content=first.content)
    assert build_mail(first, SENDER, NOW).message_id == build_mail(again, SENDER, NOW).message_id


def test_boundaries_cannot_be_foreseen() -> None:
    boundaries = {parsed(mail_of(body="x", html="y")).get_boundary() for _ in range(20)}
    assert len(boundaries) == 20


def test_an_address_beyond_ascii_stands_in_the_header_as_it_is() -> None:
    mail = mail_of(to="jürgen@müller.de", name="Jürgen", body="x")
    assert mail.needs_smtputf8
    assert "<jürgen@xn--mller-kva.de>".encode() in mail.data


def test_the_sender_name_is_quoted() -> None:
    sender = make_sender('Acme, "Inc"', "noreply@acme.example")
    mail = build_mail(delivery_job(content=EmailContent("s", "b")), sender, NOW)
    assert parsed(mail)["From"].addresses[0].display_name == 'Acme, "Inc"'


@pytest.mark.parametrize("address", ["", "nobody", "jürgen@example.com", "a@x, b@y"])
def test_a_sender_has_one_ascii_address(address: str) -> None:
    with pytest.raises(InvalidMailbox):
        make_sender("Carillon", address)


def test_a_mail_says_where_to_unsubscribe_with_one_press() -> None:
    url = "https://notify.example.com/u/EQAAb_-c/"
    job = delivery_job(
        content=EmailContent("News", "Hello", unsubscribe_url=url),
        addresses=(Address("ada@example.com"),),
    )
    message = parsed(build_mail(job, SENDER, NOW))
    assert message["List-Unsubscribe"] == f"<{url}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_mail_without_a_link_has_neither_header() -> None:
    message = parsed(mail_of(body="Your code is 1234"))
    assert "List-Unsubscribe" not in message
    assert "List-Unsubscribe-Post" not in message


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example/>\r\nBcc: eve@example.com\r\nX: <",
        "https://x.example/ y",
        "https://x.example/>,<mailto:eve@example.com",
        "javascript:alert(1)",
        "https://x.example/é",
        "https://x.example/" + "a" * 1_000,
    ],
)
def test_a_link_that_would_break_its_header_is_refused(url: str) -> None:
    job = delivery_job(content=EmailContent("News", "Hello", unsubscribe_url=url))
    with pytest.raises(PermanentFailure) as refused:
        build_mail(job, SENDER, NOW)
    assert refused.value.reason is Reason.INVALID_CONTENT
