"""What keeps a version from being published, with line and column."""

from carillon.contracts.channels import CHANNELS, ContentKind
from carillon.contracts.records import PublishedVersion
from carillon.contracts.template_variables import BUILT_IN
from carillon.rendering import limits
from carillon.rendering.content import (
    FIELDS,
    CompiledVersion,
    Reading,
    field_limit,
    read_version,
)
from carillon.rendering.errors import BrokenTemplate, InvalidSubject, Problem
from carillon.rendering.lexer import problem_at
from carillon.rendering.nodes import Text
from carillon.rendering.parser import parse
from carillon.rendering.scope import free_names
from carillon.rendering.subject import check_subject


def check_syntax(source: str) -> tuple[Problem, ...]:
    """What is wrong in one field's source; nothing if it can be rendered."""
    return parse(source).problems


def undeclared_variables(source: str) -> frozenset[str]:
    """The names that a source uses and does not set itself; of what can be read of it."""
    return frozenset(free_names(parse(source).body))


def check_version(
    version: PublishedVersion, channel: str, *, partial: bool = False
) -> tuple[Problem, ...]:
    """All that is wrong with a version: its syntax, its variables, and what its channel needs.

    A partial needs no subject: any one field will do.
    """
    problems = list(_missing_fields(version, channel, partial=partial))
    used: set[str] = set()
    readings = read_version(version, channel)
    for reading in readings:
        problems.extend(reading.problems)
        names = free_names(reading.parsed.body)
        used.update(names)
        problems.extend(_undeclared(version, reading, names))
    problems.extend(_multiline_subject(version, channel))
    problems.extend(_too_long(readings, channel))
    if not any(reading.parsed.problems for reading in readings):
        # Where a field cannot be read, what it uses is not known.
        problems.extend(_unused(version, used))
    if not any(reading.problems for reading in readings):
        problems.extend(_refused_by_engine(version, channel, readings))
    return tuple(problems)


def _missing_fields(version: PublishedVersion, channel: str, *, partial: bool) -> list[Problem]:
    kind = CHANNELS[channel].content
    missing: list[Problem] = []
    if partial:
        filled = any(str(getattr(version, field)).strip() for field in FIELDS[kind])
        return [] if filled else [_missing("content", "There is nothing to put anywhere.")]
    if kind is ContentKind.EMAIL and not version.subject.strip():
        missing.append(_missing("subject", "An email needs a subject."))
    # What a provider's template says is the provider's.
    has_body = bool(version.content.strip() or version.provider_template)
    if kind is ContentKind.EMAIL:
        has_body = has_body or bool(version.html_content.strip())
    if not has_body:
        missing.append(_missing("content", "There is nothing to send."))
    return missing


def _missing(field: str, message: str) -> Problem:
    return Problem(code="missing_content", message=message, field=field)


def _undeclared(
    version: PublishedVersion, reading: Reading, names: dict[str, int]
) -> list[Problem]:
    declared = {*version.variables, *version.optional_variables, *BUILT_IN}
    message = "{} is in neither variables nor optional_variables."
    return [
        problem_at(reading.source, at, "undeclared_variable", message.format(name)).in_field(
            reading.field
        )
        for name, at in names.items()
        if name not in declared
    ]


def _unused(version: PublishedVersion, used: set[str]) -> list[Problem]:
    return [
        Problem(
            code="unused_variable",
            message=f"{name} is required, and used nowhere.",
            field="variables",
        )
        for name in version.variables
        if name not in used
    ]


def _multiline_subject(version: PublishedVersion, channel: str) -> list[Problem]:
    if "subject" not in FIELDS[CHANNELS[channel].content]:
        return []
    try:
        check_subject(version.subject)
    except InvalidSubject as error:
        return [Problem(code=error.code, message=error.message, field="subject")]
    return []


def _too_long(readings: tuple[Reading, ...], channel: str) -> list[Problem]:
    """What no send could be, whatever its variables: only text that is always there counts."""
    problems: list[Problem] = []
    total = 0
    for reading in readings:
        fixed = [part.text for part in reading.parsed.body if isinstance(part, Text)]
        most = field_limit(channel, reading.field)
        length = sum(map(len, fixed))
        total += sum(len(text.encode()) for text in fixed)
        if length > most:
            message = f"The fixed text has {length} characters; {most} can be sent."
            problems.append(_of_length(reading.field, message))
    if CHANNELS[channel].content is ContentKind.PUSH and total > limits.PUSH_BYTES_MOST:
        message = f"The fixed text has {total} bytes; a push may have {limits.PUSH_BYTES_MOST}."
        problems.append(_of_length("content", message))
    return problems


def _of_length(field: str, message: str) -> Problem:
    return Problem(code="content_too_large", message=message, field=field)


def _refused_by_engine(
    version: PublishedVersion, channel: str, readings: tuple[Reading, ...]
) -> tuple[Problem, ...]:
    try:
        CompiledVersion(readings, version.optional_variables, channel)
    except BrokenTemplate as error:
        return error.problems
    return ()
