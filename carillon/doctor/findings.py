"""What an examination finds, and how it goes on when one of its checks fails."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

import msgspec


class State(StrEnum):
    """How bad it is."""

    WELL = "ok"
    WARNING = "warning"
    PROBLEM = "PROBLEM"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at; `mend` says what to do where it is not well."""

    subject: str
    state: State
    said: str
    mend: str = ""


Check = Callable[[], Iterable[Finding]]
"""Looks at one subject; may raise anything, which is then a problem of that subject."""


def well(subject: str, said: str) -> Finding:
    """Nothing to do."""
    return Finding(subject, State.WELL, said)


def warning(subject: str, said: str, mend: str) -> Finding:
    """Works, and should be seen to."""
    return Finding(subject, State.WARNING, said, mend)


def problem(subject: str, said: str, mend: str) -> Finding:
    """Does not work, or breaks a promise."""
    return Finding(subject, State.PROBLEM, said, mend)


def examine(checks: Mapping[str, tuple[Check, str]]) -> list[Finding]:
    """Every check's findings, in order; each check comes with what to do where it fails.

    A failure is told by its kind and not by its text, which may hold a password.
    """
    found: list[Finding] = []
    for subject, (check, mend) in checks.items():
        try:
            found.extend(check())
        except Exception as error:  # noqa: BLE001  whatever it raises is the finding
            found.append(problem(subject, f"failed: {type(error).__name__}", mend))
    return found


def version_of(text: str) -> tuple[int, ...]:
    """(3, 12, 1) of "3.12.1-beta"; empty where there is no number."""
    numbers: list[int] = []
    for part in text.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers)


def version(subject: str, found: str, least: tuple[int, ...], mend: str) -> Finding:
    """Whether a server is new enough."""
    if version_of(found) >= least:
        return well(subject, f"version {found}")
    wanted = ".".join(map(str, least))
    return problem(subject, f"version {found} is older than {wanted}", mend)


def clock(subject: str, ahead: float, most: float = 2.0) -> Finding:
    """Whether a clock agrees with ours; `ahead` in seconds."""
    if abs(ahead) <= most:
        return well(subject, "its clock agrees with ours")
    word = "ahead of" if ahead > 0 else "behind"
    return problem(
        subject,
        f"its clock is {abs(ahead):.0f} s {word} ours",
        "Run an NTP client on both machines: schedules, limits and tokens go by the clock.",
    )
