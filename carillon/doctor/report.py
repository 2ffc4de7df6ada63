"""An examination for people, and for programs."""

import textwrap
from collections.abc import Sequence
from typing import TextIO

import msgspec

from carillon.doctor.findings import Finding, State

WIDTH = 100
MARKS = {State.WELL: "+", State.WARNING: "!", State.PROBLEM: "x"}


def write(findings: Sequence[Finding], output: TextIO, *, as_json: bool) -> None:
    """One line for each finding, what mends it below; or a JSON array."""
    if as_json:
        output.write(msgspec.json.encode(list(findings)).decode() + "\n")
        return
    width = max((len(each.subject) for each in findings), default=0)
    for each in findings:
        output.write(f"  {MARKS[each.state]} {each.subject:{width}}  {each.said}\n")
        if each.mend:
            indent = " " * (width + 8)
            output.write(
                textwrap.fill(each.mend, WIDTH, initial_indent=indent, subsequent_indent=indent)
                + "\n"
            )


def status(findings: Sequence[Finding]) -> int:
    """The exit status: 1 if there is a problem; warnings are none."""
    return 1 if any(each.state is State.PROBLEM for each in findings) else 0
