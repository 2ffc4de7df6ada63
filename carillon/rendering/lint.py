"""What is worth a second look in a version, though it can be published."""

import re
import unicodedata
from collections.abc import Iterator

from carillon.contracts.channels import CHANNELS, ContentKind
from carillon.contracts.messages import Content, EmailContent, PushContent, TextContent
from carillon.contracts.records import PublishedVersion
from carillon.contracts.template_variables import BUILT_IN, PREFERENCES_URL, UNSUBSCRIBE_URL
from carillon.rendering import limits
from carillon.rendering.content import FIELDS, read_version
from carillon.rendering.errors import Problem
from carillon.rendering.lexer import problem_at
from carillon.rendering.nodes import Body, For, If, Text
from carillon.rendering.scope import free_names
from carillon.rendering.sms import Encoding, segments

# Categories that nobody can opt out of: their emails need no way to unsubscribe.
ESSENTIAL = frozenset({"otp", "security", "transactional"})
# Gmail shows no more of a message's HTML: https://support.google.com/mail/answer/6594
CLIPPED_BYTES = 102_400
SEGMENTS_EXPECTED = 1


def lint_version(
    version: PublishedVersion, channel: str, *, category: str = "", partial: bool = False
) -> tuple[Problem, ...]:
    """Warnings, in the order of the fields. What `check_version` finds is not repeated.

    Of a partial nothing is asked that only a whole message can have.
    """
    readings = read_version(version, channel)
    if any(reading.problems for reading in readings):
        return ()
    found: list[Problem] = []
    used = {name for reading in readings for name in free_names(reading.parsed.body)}
    for name in version.optional_variables:
        if name not in used:
            message = f"{name} is optional, and used nowhere."
            found.append(_of("optional_variables", "unused_optional_variable", message))
    kind = CHANNELS[channel].content
    if kind is ContentKind.EMAIL:
        if not partial:
            found.extend(_email(version, category, used))
        found.extend(_clipped(len(version.html_content.encode())))
    elif channel == "sms":
        found.extend(_sms(version, readings[0].parsed.body))
    elif kind is ContentKind.PUSH:
        fixed = sum(len(text.encode()) for r in readings for _, text in _texts(r.parsed.body))
        found.extend(_push(fixed))
    found.extend(_ignored(version, channel))
    return tuple(found)


def lint_content(content: Content) -> tuple[Problem, ...]:
    """Warnings about what was rendered with some data."""
    match content:
        case TextContent():
            return tuple(_rendered_sms(content.body))
        case PushContent():
            return ()
        case EmailContent():
            return tuple(_clipped(len(content.html.encode())))


def _of(field: str, code: str, message: str) -> Problem:
    return Problem(code=code, message=message, field=field)


def _email(version: PublishedVersion, category: str, used: set[str]) -> Iterator[Problem]:
    if not version.content.strip():
        message = "There is no text part: one is made of the HTML when this is published."
        yield _of("content", "missing_text_part", message)
    words = f"{version.content} {version.html_content}".lower()
    says_how = "unsubscribe" in words or not used.isdisjoint(BUILT_IN)
    if category and category not in ESSENTIAL and not says_how:
        message = (
            f"People can opt out of {category}, and this email does not say how: "
            f"link {{{{ {UNSUBSCRIBE_URL} }}}} or {{{{ {PREFERENCES_URL} }}}}."
        )
        yield _of("html_content", "missing_unsubscribe", message)


def _clipped(size: int) -> Iterator[Problem]:
    if size > CLIPPED_BYTES:
        message = f"Gmail clips messages of more than {CLIPPED_BYTES} bytes; this has {size}."
        yield _of("html_content", "clipped", message)


def _sms(version: PublishedVersion, body: Body) -> Iterator[Problem]:
    for at, text in _texts(body):
        counted = segments(text)
        if counted.encoding is Encoding.UCS2:
            where = problem_at(
                version.content,
                at + counted.forced_at,
                "unicode_sms",
                f"{_named(counted.forced_by)} makes this a Unicode SMS, of 70 characters "
                "in place of 160.",
            )
            yield where.in_field("content")
            break
    fixed = segments("".join(text for _, text in _texts(body)))
    if fixed.segments > SEGMENTS_EXPECTED:
        message = (
            f"The fixed text alone makes {fixed.segments} SMS "
            f"({fixed.units} units of {fixed.encoding})."
        )
        yield _of("content", "several_segments", message)


def _rendered_sms(body: str) -> Iterator[Problem]:
    counted = segments(body)
    if counted.segments > SEGMENTS_EXPECTED:
        message = f"This makes {counted.segments} SMS ({counted.units} units, {counted.encoding})."
        yield _of("content", "several_segments", message)
    if counted.encoding is Encoding.UCS2:
        message = f"{_named(counted.forced_by)} makes this a Unicode SMS."
        yield _of("content", "unicode_sms", message)


def _push(fixed: int) -> Iterator[Problem]:
    if fixed > limits.PUSH_BYTES_MOST * 3 // 4:
        most = limits.PUSH_BYTES_MOST
        message = f"The fixed text has {fixed} bytes; a push may have {most} in all."
        yield _of("content", "long_push", message)


def _ignored(version: PublishedVersion, channel: str) -> Iterator[Problem]:
    if version.subject and "subject" not in FIELDS[CHANNELS[channel].content]:
        yield _of("subject", "ignored_field", f"A message of type {channel} has no subject.")


def _texts(body: Body) -> Iterator[tuple[int, str]]:
    """The fixed texts with their offsets; of loops and branches each once."""
    for statement in body:
        match statement:
            case Text():
                yield statement.at, statement.text
            case If():
                for _, inner in statement.branches:
                    yield from _texts(inner)
            case For():
                yield from _texts(statement.body)
                yield from _texts(statement.otherwise)


def _named(character: str) -> str:
    name = unicodedata.name(character, "")
    code = f"U+{ord(character):04X}"
    shown = f"{character} " if re.match(r"\S", character) and character.isprintable() else ""
    return f"{shown}({code}{f' {name.lower()}' if name else ''})"
