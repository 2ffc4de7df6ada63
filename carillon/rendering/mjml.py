"""Compiles MJML into the HTML of an email, the tags of a template in it as they are.

MJML (https://documentation.mjml.io/) has elements for the layout of emails, of which the compiler
makes the nested tables that mail programs need. It knows nothing of templates: tags are hidden in
words, and between elements in comments, which come out where they went in. It leaves out in
silence what it does not know, and says of errors hardly where they are: both is checked here first.
"""

import re

import mrml

from carillon.rendering.errors import Problem
from carillon.rendering.hiding import Hidden, hide_tags
from carillon.rendering.inlining import inline_css
from carillon.rendering.lexer import SourceError, problem_at
from carillon.rendering.mjml_structure import Structure, read_structure

FIELD = "mjml"

# No file and no address is ever read.
_OPTIONS = mrml.ParserOptions(include_loader=mrml.noop_loader())


class BrokenMJML(ValueError):
    """It cannot be compiled; `problems` have the lines and columns of the source."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(str(problems[0]))
        self.problems = problems


def compile_mjml(source: str) -> str:
    """HTML with the same tags in it. Raises BrokenMJML.

    `<mj-style inline="inline">` has its rules copied into the tags.
    """
    try:
        hidden = hide_tags(source)
    except SourceError as error:
        raise BrokenMJML((_problem(source, error.at, error.code, error.message),)) from None
    structure = read_structure(hidden)
    if structure.problems:
        raise BrokenMJML(
            tuple(_problem(source, hidden.offset(at), *told) for at, *told in structure.problems)
        )
    made = _compiled(structure.text)
    _check_nothing_lost(made, structure, hidden)
    between = frozenset(structure.between)
    made = re.sub(
        f"<!--({hidden.words.pattern})-->",
        lambda found: found[1] if found[1] in between else found[0],
        made,
    )
    restored = hidden.restore(made)
    return inline_css(restored) if structure.inlines else restored


def is_fragment(source: str) -> bool:
    """Whether it is no whole document."""
    return "<mjml" not in source


def _compiled(text: str) -> str:
    try:
        return str(mrml.to_html(text, parser_options=_OPTIONS).content)
    except OSError as error:
        message = f"This is no MJML that can be compiled: {error}."
        raise BrokenMJML((Problem(code="mjml_error", message=message, field=FIELD),)) from None
    except BaseException as error:
        # A panic of the compiler is no Exception; it must not end the worker's thread.
        if type(error).__name__ != "PanicException":
            raise
        message = "This MJML cannot be compiled."
        raise BrokenMJML((Problem(code="mjml_error", message=message, field=FIELD),)) from None


def _check_nothing_lost(made: str, structure: Structure, hidden: Hidden) -> None:
    there = {found.group() for found in hidden.words.finditer(made)}
    lost = [word for word in (*structure.between, *structure.within) if word not in there]
    if lost:
        message = "Here this tag has no place in the HTML that is made."
        raise BrokenMJML(
            tuple(
                _problem(hidden.source, hidden.span(word).start, "misplaced_tag", message)
                for word in lost
            )
        )


def _problem(source: str, at: int, code: str, message: str) -> Problem:
    return problem_at(source, at, code, message).in_field(FIELD)
