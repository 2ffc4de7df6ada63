"""Checks names, filters, tests and calls against the words that the language has."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches

from carillon.rendering.language import FILTERS, FUNCTIONS, REFUSED_FILTERS, TESTS, Signature
from carillon.rendering.nodes import Call, Constant, Filter, Test

Report = Callable[[int, str, str], None]
"""Takes the offset, the problem's code and its message."""


class WordChecker:
    """Reports what is not of the language; never raises."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def check_name(self, at: int, name: str) -> None:
        """A variable's or a member's."""
        if name.startswith("_"):
            message = f"{name}: no name may begin with an underscore."
            self._report(at, "private_name", message)

    def check_call(self, call: Call) -> None:
        """Two functions can be called, and nothing else."""
        signature = FUNCTIONS.get(call.function)
        if signature is None:
            known = ", ".join(f"{name}(…)" for name in sorted(FUNCTIONS))
            message = f"{call.function or 'This'} cannot be called. There are {known}, and filters."
            self._report(call.at, "refused_call", message)
            return
        self._check_count(call.at, call.function, len(call.arguments), signature)

    def check_test(self, test: Test) -> None:
        """After `is`."""
        signature = TESTS.get(test.name)
        if signature is None:
            self._unknown(test.at, "test", test.name, TESTS)
            return
        self._check_count(test.at, test.name, len(test.arguments), signature)

    def check_filter(self, found: Filter) -> None:
        """After `|`."""
        signature = FILTERS.get(found.name)
        if signature is None and found.name in REFUSED_FILTERS:
            message = f"There is no filter {found.name}: {REFUSED_FILTERS[found.name]}."
            self._report(found.at, "refused_filter", message)
            return
        if signature is None:
            self._unknown(found.at, "filter", found.name, FILTERS)
            return
        names = [name for name, _ in found.keywords]
        if not set(names) <= signature.keywords or len(set(names)) < len(names):
            self._wrong_arguments(found.at, found.name, signature)
        else:
            self._check_count(found.at, found.name, len(found.arguments), signature)
        if found.name == "map" and not names:
            self._report(found.at, "wrong_arguments", "Write map(attribute='name').")
        if signature.literal:
            self._check_literals(found)
        if signature.styles and found.arguments:
            self._check_style(found, signature)

    def _check_literals(self, found: Filter) -> None:
        """What is looked up by name is written out, so that it can be checked here."""
        members = [*found.arguments[:1], *(v for k, v in found.keywords if k == "attribute")]
        for value in (*members, *found.arguments[1:2]):
            if not isinstance(value, Constant) or not isinstance(value.value, str):
                self._report(value.at, "wrong_arguments", "Write this name out, in quotes.")
                return
            self.check_name(value.at, value.value)
        for test in found.arguments[1:2]:
            if isinstance(test, Constant) and test.value not in TESTS:
                self._unknown(test.at, "test", str(test.value), TESTS)

    def _check_style(self, found: Filter, signature: Signature) -> None:
        style = found.arguments[0]
        if not isinstance(style, Constant) or style.value not in signature.styles:
            names = ", ".join(f"'{name}'" for name in sorted(signature.styles))
            self._report(style.at, "wrong_arguments", f"{found.name} takes one of {names}.")

    def _check_count(self, at: int, name: str, count: int, signature: Signature) -> None:
        if not signature.least <= count <= signature.most:
            self._wrong_arguments(at, name, signature)

    def _wrong_arguments(self, at: int, name: str, signature: Signature) -> None:
        least, most = signature.least, signature.most
        count = str(least) if least == most else f"{least} to {most}"
        named = "".join(f", and {keyword}=…" for keyword in sorted(signature.keywords))
        plural = "" if count == "1" else "s"
        self._report(at, "wrong_arguments", f"{name} takes {count} argument{plural}{named}.")

    def _unknown(self, at: int, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}."
        self._report(at, f"unknown_{kind}", f"There is no {kind} {name}: {hint}")
