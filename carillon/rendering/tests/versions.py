"""Versions for tests: only what a test is about needs to be said."""

from typing import Any

from carillon.contracts.messages import EmailContent, PushContent, TextContent
from carillon.contracts.records import PublishedVersion
from carillon.rendering import render_content

SOON = 10.0
"""Seconds of a thread's own time, of a processor that others slow down. A bound that holds takes a
tenth of it; what is missing one takes minutes.
"""


def version(
    content: str = "",
    *,
    subject: str = "",
    html: str = "",
    required: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
) -> PublishedVersion:
    """A published version."""
    return PublishedVersion(
        version=1,
        subject=subject,
        content=content,
        html_content=html,
        variables=required,
        optional_variables=optional,
    )


def text_of(source: str, /, *, optional: tuple[str, ...] = (), **variables: Any) -> str:
    """`source` rendered as the body of a WhatsApp message."""
    content = render_content(version(source, optional=optional), "whatsapp", variables)
    assert isinstance(content, TextContent)
    return content.body


def html_of(source: str, /, *, optional: tuple[str, ...] = (), **variables: Any) -> str:
    """`source` rendered as the HTML of an email."""
    made = version(subject="s", html=source, optional=optional)
    content = render_content(made, "email", variables)
    assert isinstance(content, EmailContent)
    return content.html


def subject_of(source: str, /, **variables: Any) -> str:
    """`source` rendered as the subject of an email."""
    content = render_content(version("body", subject=source), "email", variables)
    assert isinstance(content, EmailContent)
    return content.subject


def push_of(title: str, body: str, /, **variables: Any) -> PushContent:
    """A rendered push notification."""
    content = render_content(version(body, subject=title), "push", variables)
    assert isinstance(content, PushContent)
    return content
