"""What a request adds to an email: kept, sent along, and refused where it must be."""

import base64
from typing import Any

import pytest

from carillon.contracts.email import ATTACHED_BYTES
from carillon.contracts.messages import Attachment, EmailContent
from carillon.web.bodies import convert_body
from gateway.notifications.bodies import NotificationBody
from gateway.notifications.email_options import EmailOptions, kept_from, problems_of

LINKED = {"filename": "a.png", "url": "https://files.example.com/a"}
TOO_MUCH = base64.b64encode(bytes(ATTACHED_BYTES + 1)).decode()
FILE = {"filename": "plan.pdf", "content_type": "application/pdf", "data": "JVBERg=="}


def options(**fields: Any) -> EmailOptions:
    """As they are read from a request."""
    body = {"notification_type": "email", "email": fields}
    read = convert_body(body, NotificationBody).email
    assert read
    return read


def problems(channel: str = "email", **fields: Any) -> dict[str, str]:
    return dict(problems_of(options(**fields), channel))


def test_everything_goes_into_the_content() -> None:
    given = options(
        reply_to="Support@Example.com",
        headers={"X-Campaign": "spring"},
        attachments=[
            FILE,
            {"filename": "a.png", "url": "https://files.example.com/a", "content_id": "a"},
        ],
    )
    assert dict(problems_of(given, "email")) == {}
    content = given.added_to(EmailContent("Hello", "text"))
    assert content.reply_to.lower() == "support@example.com"
    assert content.headers == {"X-Campaign": "spring"}
    assert content.attachments == (
        Attachment("plan.pdf", "application/pdf", b"%PDF"),
        Attachment("a.png", url=LINKED["url"], content_id="a"),
    )


def test_new_words_keep_what_does_not_belong_to_the_words() -> None:
    former = options(reply_to="a@example.com", attachments=[FILE]).added_to(
        EmailContent("Old", "old", unsubscribe_url="https://notify.example.com/u/t/")
    )
    changed = kept_from(former, EmailContent("New", "new"))
    assert (changed.subject, changed.body) == ("New", "new")
    assert changed.unsubscribe_url == former.unsubscribe_url
    assert changed.reply_to == "a@example.com"
    assert changed.attachments == former.attachments


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"reply_to": "nobody"}, "email.reply_to"),
        ({"headers": {"Bcc": "a@example.com"}}, "email.headers.Bcc"),
        ({"headers": {"X-A": "1\r\nBcc: a@example.com"}}, "email.headers.X-A"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "email.headers.X-A"),
        ({"attachments": [{**FILE, "filename": "../plan"}]}, "email.attachments.0.filename"),
        ({"attachments": [{**FILE, "content_type": "pdf"}]}, "email.attachments.0.content_type"),
        ({"attachments": [{**FILE, "content_id": "a b"}]}, "email.attachments.0.content_id"),
        ({"attachments": [FILE, {"filename": "a"}]}, "email.attachments.1.data"),
        (
            {"attachments": [{**FILE, "url": "https://files.example.com/a"}]},
            "email.attachments.0.data",
        ),
        (
            {
                "attachments": [
                    {"filename": "a", "data": base64.b64encode(bytes(ATTACHED_BYTES + 1)).decode()}
                ]
            },
            "email.attachments",
        ),
    ],
)
def test_what_is_wrong_is_told_by_its_field(fields: dict[str, Any], field: str) -> None:
    assert field in problems(**fields)


@pytest.mark.parametrize(
    "url",
    ["http://files.example.com/a", "ftp://a/b", "https://", "https://user@files.example.com/a",
     "https://files.example.com:99999/a", "https://files.example.com/a b", "file:///etc/passwd"],
)  # fmt: skip
def test_an_address_to_fetch_from_is_https_and_public_looking(url: str) -> None:
    assert "email.attachments.0.url" in problems(attachments=[{"filename": "a", "url": url}])


def test_other_channels_have_no_such_options() -> None:
    assert problems("sms", reply_to="a@example.com") == {
        "email": "Only an email has these options."
    }
