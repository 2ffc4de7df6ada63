"""Makes what is sent of what an author wrote, once, when a version is published.

Sending then stays what it was: one compiled text per field, no parts to find and no HTML to read.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from carillon.contracts.channels import CHANNELS, ContentKind
from carillon.contracts.records import PublishedVersion
from carillon.rendering import Composed, Problem, check_version, compose, is_partial
from carillon.rendering.inlining import inline_css
from carillon.rendering.lexer import SourceError
from carillon.rendering.limits import SOURCE_MOST
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
        changed: dict[str, Any] = {
            name: getattr(self.content, name)
            for name in (*TEXTS, *NAMES)
            if getattr(self.content, name) != getattr(written(version), name)
        }
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
    composed = compose(written(version), template.type, find, code=template.code)
    problems = composed.problems or _problems(template, composed.version, composed)
    if problems:
        return Prepared(composed.version, problems, composed)
    made = _made(template, composed.version)
    return Prepared(made, _problems(template, made, None), composed)


def _problems(
    template: Template, version: PublishedVersion, composed: Composed | None
) -> tuple[Problem, ...]:
    problems = check_version(version, template.type, partial=is_partial(template.code))
    return tuple(map(composed.in_own_terms, problems)) if composed else problems


def _made(template: Template, version: PublishedVersion) -> PublishedVersion:
    """An email without a text part gets one of its HTML; the rules of `<style>` are inlined."""
    markup = version.html_content
    if CHANNELS[template.type].content is not ContentKind.EMAIL or not markup.strip():
        return version
    made: dict[str, str] = {}
    try:
        if not version.content.strip():
            made["content"] = text_from_html(markup)
        made["html_content"] = inline_css(markup)
    except SourceError:
        return version
    fitting = {field: text for field, text in made.items() if len(text) <= SOURCE_MOST}
    return msgspec.structs.replace(version, **fitting)
