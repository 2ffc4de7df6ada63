"""Makes what is sent of what an author wrote, once, when a version is published.

Sending then stays what it was: one compiled text per field, no parts to find and no HTML to read.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from carillon.contracts.channels import CHANNELS, ContentKind
from carillon.contracts.records import PublishedVersion
from carillon.rendering import Composed, Problem, check_version, compose, is_partial
from carillon.rendering.composing import MARKUP
from carillon.rendering.inlining import inline_css
from carillon.rendering.lexer import SourceError
from carillon.rendering.limits import SOURCE_MOST
from carillon.rendering.mjml import FIELD as MJML
from carillon.rendering.mjml import BrokenMJML, compile_mjml, is_fragment
from carillon.rendering.plain_text import text_from_html
from template_service.templates.models import Template, TemplateVersion
from template_service.templates.parts import PublishedParts
from template_service.templates.selectors import NAMES, TEXTS, written


@dataclass(frozen=True, slots=True)
class Prepared:
    """A version as it would be sent if it were published now, unless there are problems."""

    content: PublishedVersion
    problems: tuple[Problem, ...]
    composed: Composed

    def keep(self, version: TemplateVersion) -> None:
        """Note with the version what is sent of it."""
        sent: dict[str, Any] = {name: getattr(self.content, name) for name in TEXTS}
        sent.update((name, list(getattr(self.content, name))) for name in NAMES)
        changed = {name: what for name, what in sent.items() if what != getattr(version, name)}
        version.prepared = changed or None
        version.parts = [
            {"code": part.code, "version": part.number, "language": part.language}
            for part in self.composed.parts.values()
        ]


def prepare(template: Template, version: TemplateVersion) -> Prepared:
    """Put its parts in, check it, make an email's text part and inline its rules.

    Problems are told of what the author wrote, with line and column.
    """
    find = PublishedParts(template.organization_id, version.language)
    markup = MJML if version.mjml.strip() else MARKUP
    composed = compose(written(version), template.type, find, code=template.code, markup=markup)
    problems = composed.problems or _problems(template, composed.version)
    if problems:
        own = tuple(map(composed.in_own_terms, problems))
        return Prepared(composed.version, composed.problems or own, composed)
    if markup == MJML and is_partial(template.code) and is_fragment(composed.version.html_content):
        # For others to put in: it makes no HTML of its own.
        alone = msgspec.structs.replace(composed.version, html_content="")
        return Prepared(alone, (), composed)
    try:
        compiled = _compiled(composed.version) if markup == MJML else composed.version
    except BrokenMJML as error:
        own = tuple(map(composed.in_own_terms, (p.in_field(MARKUP) for p in error.problems)))
        return Prepared(composed.version, own, composed)
    made = _made(template, compiled, inline=markup == MARKUP)
    problems = _problems(template, made)
    if markup == MJML:
        problems = tuple(map(_of_what_was_made, problems))
    return Prepared(made, problems, composed)


def _problems(template: Template, version: PublishedVersion) -> tuple[Problem, ...]:
    return check_version(version, template.type, partial=is_partial(template.code))


def _of_what_was_made(problem: Problem) -> Problem:
    """Its author never saw the HTML's lines."""
    if problem.field != MARKUP:
        return problem
    message = f"In the HTML that is made of it: {problem.message}"
    return Problem(code=problem.code, message=message, field=MJML)


def _compiled(version: PublishedVersion) -> PublishedVersion:
    """Raises BrokenMJML."""
    made = compile_mjml(version.html_content)
    if len(made) > SOURCE_MOST:
        message = f"The HTML that is made of it has more than {SOURCE_MOST} characters."
        raise BrokenMJML((Problem(code="too_long", message=message, field=MJML),))
    return msgspec.structs.replace(version, html_content=made)


def _made(template: Template, version: PublishedVersion, *, inline: bool) -> PublishedVersion:
    """An email without a text part gets one of its HTML; the rules of `<style>` are inlined."""
    markup = version.html_content
    if CHANNELS[template.type].content is not ContentKind.EMAIL or not markup.strip():
        return version
    made: dict[str, str] = {}
    try:
        if not version.content.strip():
            made["content"] = text_from_html(markup)
        if inline:
            made["html_content"] = inline_css(markup)
    except SourceError:
        return version
    fitting = {field: text for field, text in made.items() if len(text) <= SOURCE_MOST}
    return msgspec.structs.replace(version, **fitting)
