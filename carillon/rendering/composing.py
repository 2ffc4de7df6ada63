"""A version with its layouts and partials put in: what is checked, previewed and published."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from carillon.contracts.channels import CHANNELS
from carillon.contracts.records import PublishedVersion
from carillon.rendering.content import FIELDS
from carillon.rendering.errors import Problem
from carillon.rendering.layouts import FindPart, Flattened, Part, flatten
from carillon.rendering.lexer import SourceError, problem_at
from carillon.rendering.outline import outline, without_parts
from carillon.rendering.parser import parse
from carillon.rendering.scope import free_names

MARKUP = "html_content"


def is_partial(code: str) -> bool:
    """True for codes of layouts and partials, which are put into others and never sent."""
    return code.startswith("_")


def check_written(source: str) -> tuple[Problem, ...]:
    """What is wrong in one field as its author wrote it, whatever its parts say."""
    try:
        found = outline(source)
    except SourceError as error:
        own = problem_at(source, error.at, error.code, error.message)
        problems = parse(source).problems
        # What the parser cannot read either, it tells together with all else.
        return problems if own in problems else (own,)
    return parse(without_parts(source, found)).problems


@dataclass(frozen=True, slots=True)
class Composed:
    """With problems, `version` is not to be used.

    Its variables are those that were declared, and of its parts' those that are used.
    """

    version: PublishedVersion
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    parts: Mapping[str, Part]
    _fields: Mapping[str, Flattened]

    def in_own_terms(self, problem: Problem) -> Problem:
        """A problem of `version`, where its author finds it."""
        field = self._fields.get(problem.field)
        if field is None:
            return problem
        return field.in_own_terms(problem).in_field(field.field)


def compose(
    version: PublishedVersion, channel: str, find: FindPart, *, code: str, markup: str = MARKUP
) -> Composed:
    """`markup` is the parts' field that goes into `html_content`. Never raises."""
    fields: dict[str, Flattened] = {}
    for name in FIELDS[CHANNELS[channel].content]:
        source = str(getattr(version, name))
        written_as = markup if name == MARKUP else name
        fields[name] = flatten(written_as, source, find, code=code)
    parts = {used: part for field in fields.values() for used, part in field.parts.items()}
    sources = {name: field.source for name, field in fields.items()}
    required, optional = _variables(version, sources, parts)
    return Composed(
        msgspec.structs.replace(
            version, **sources, variables=required, optional_variables=optional
        ),
        tuple(problem for field in fields.values() for problem in field.problems),
        tuple(warning for field in fields.values() for warning in field.warnings),
        parts,
        fields,
    )


def _variables(
    version: PublishedVersion, sources: Mapping[str, str], parts: Mapping[str, Part]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Required and optional; what the version itself declares comes first, and wins."""
    if not parts:
        return version.variables, version.optional_variables
    used = {name for source in sources.values() for name in free_names(parse(source).body)}
    wanted = used - {*version.variables, *version.optional_variables}
    required = wanted & {name for part in parts.values() for name in part.variables}
    known = {name for part in parts.values() for name in part.optional_variables}
    optional = (wanted - required) & known
    return (
        (*version.variables, *sorted(required)),
        (*version.optional_variables, *sorted(optional)),
    )
