"""Renders a template's published version into the content of a channel. The public functions."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from carillon.contracts.channels import CHANNELS, ContentKind
from carillon.contracts.messages import (
    Content,
    EmailContent,
    ProviderTemplate,
    PushContent,
    TextContent,
)
from carillon.contracts.records import PublishedVersion
from carillon.contracts.template_variables import BUILT_IN
from carillon.rendering import limits
from carillon.rendering.audience import DEFAULT_LANGUAGE, audience
from carillon.rendering.codegen import generate
from carillon.rendering.engine import FieldProgram, Program
from carillon.rendering.errors import (
    BrokenTemplate,
    EmptyContent,
    MissingVariables,
    OutputTooLarge,
    Problem,
)
from carillon.rendering.lexer import problem_at
from carillon.rendering.markup import find_links
from carillon.rendering.parser import Parsed, parse
from carillon.rendering.provider_templates import FIELD as PROVIDER_TEMPLATE
from carillon.rendering.provider_templates import filled, provider_values
from carillon.rendering.scope import free_names
from carillon.rendering.subject import check_subject
from carillon.rendering.values import Intake

FIELDS: Final[dict[ContentKind, tuple[str, ...]]] = {
    ContentKind.EMAIL: ("subject", "content", "html_content"),
    ContentKind.TEXT: ("content",),
    ContentKind.PUSH: ("subject", "content"),
}
"""The fields of a version that a channel's content is made of."""

_CACHED_CHARACTERS: Final = 16_000_000


def render_content(
    version: PublishedVersion,
    channel: str,
    variables: Mapping[str, Any],
    *,
    language: str = DEFAULT_LANGUAGE,
    timezone: str = "UTC",
) -> Content:
    """The content that `channel` delivers, with `variables` (plain JSON values) put in.

    Dates and numbers are written as in `language` (BCP 47; see `conventions`), times are those of
    the IANA `timezone`; what is not known of these is en, and UTC.

    Raises MissingVariables (all required ones at once), InvalidVariables, InvalidSubject,
    OutputTooLarge, EmptyContent, TooMuchWork, RenderFailed, or BrokenTemplate for a version that
    was never publishable. Compiled templates are kept, by their whole text.
    """
    missing = [name for name in version.variables if variables.get(name) is None]
    if missing:
        raise MissingVariables(missing)
    compiled = _compiled.get(version, channel)
    intake = Intake()
    taken = intake.take(variables, compiled.names)
    fields = compiled.program.render(taken, intake.weight, audience(language, timezone))
    return _content(CHANNELS[channel].content, fields, version.provider_template)


@dataclass(frozen=True, slots=True)
class Reading:
    """A field of a version, as far as it could be read; `links` are its links' filters."""

    field: str
    source: str
    parsed: Parsed
    problems: tuple[Problem, ...]
    links: Mapping[int, str]


def read_version(version: PublishedVersion, channel: str) -> tuple[Reading, ...]:
    """What `channel` uses, field by field, and the values of a provider's template.

    Each comes with what is wrong in it.
    """
    fields = FIELDS[CHANNELS[channel].content]
    own = ((field, str(getattr(version, field))) for field in fields)
    return tuple(_read(*each) for each in (*own, *provider_values(version)))


def _read(field: str, source: str) -> Reading:
    parsed = parse(source)
    problems = list(parsed.problems)
    links: Mapping[int, str] = {}
    if field == "html_content" and not problems:

        def report(at: int, code: str, message: str) -> None:
            problems.append(problem_at(source, at, code, message))

        links = find_links(parsed.body, report)
    named = tuple(problem.in_field(field) for problem in problems)
    return Reading(field, source, parsed, named, links)


class CompiledVersion:
    """A version's fields, ready to render. Raises BrokenTemplate."""

    def __init__(self, readings: Sequence[Reading], optional: Iterable[str], channel: str) -> None:
        problems = [problem for reading in readings for problem in reading.problems]
        if problems:
            raise BrokenTemplate(problems)
        # Whoever renders may have no value for what is built in.
        absent = frozenset(optional) | frozenset(BUILT_IN)
        programs: list[FieldProgram] = []
        names: set[str] = set()
        self.size = 0
        for reading in readings:
            if not reading.source:
                continue
            generated = generate(reading.parsed, optional=absent, links=reading.links)
            programs.append(
                FieldProgram(
                    reading.field,
                    reading.source,
                    generated,
                    limit=field_limit(channel, reading.field),
                    html=reading.field == "html_content",
                )
            )
            names.update(free_names(reading.parsed.body))
            self.size += len(reading.source) + len(generated.source)
        self.names = frozenset(names)
        self.program = Program(programs)


class _Cache:
    """The compiled versions that were used last, up to a bound of memory.

    The key is all that the result depends on, texts included: there is no way to be given what
    was compiled from other texts. Python keeps a text's hash with it, so that many renders of one
    record hash it once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], CompiledVersion] = OrderedDict()

    def get(self, version: PublishedVersion, channel: str) -> CompiledVersion:
        """Raises BrokenTemplate, each time anew."""
        key = (
            channel,
            version.subject,
            version.content,
            version.html_content,
            version.optional_variables,
            tuple(provider_values(version)),
        )
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        readings = read_version(version, channel)
        compiled = CompiledVersion(readings, version.optional_variables, channel)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = compiled
                self._size += compiled.size
            while self._size > self._most and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._size -= oldest.size
        return compiled

    def __len__(self) -> int:
        return len(self._kept)


_compiled = _Cache(_CACHED_CHARACTERS)


def field_limit(channel: str, field: str) -> int:
    """Characters that a rendered field may have."""
    output = limits.OUTPUT[channel]
    if field.startswith(PROVIDER_TEMPLATE):
        # What white space is more than one character is not counted yet.
        return output.content
    return {"subject": output.subject, "content": output.content, "html_content": output.html}[
        field
    ]


def _content(
    kind: ContentKind, fields: Mapping[str, str], template: ProviderTemplate | None
) -> Content:
    subject, body = fields.get("subject", ""), fields.get("content", "")
    markup = fields.get("html_content", "")
    if template is not None:
        return TextContent(body, filled(template, fields))
    if not (body.strip() or markup.strip() or (kind is ContentKind.PUSH and subject.strip())):
        raise EmptyContent("There is nothing to send: the rendered content is empty.")
    if kind is ContentKind.TEXT:
        return TextContent(body)
    check_subject(subject)
    if kind is ContentKind.EMAIL:
        return EmailContent(subject, body, markup)
    if len(subject.encode()) + len(body.encode()) > limits.PUSH_BYTES_MOST:
        most = limits.PUSH_BYTES_MOST
        raise OutputTooLarge(f"Title and body are longer than {most} bytes.", field="content")
    return PushContent(title=subject, body=body)
