"""`manage.py import_users FILE --organization org_…`: users from a file of JSON Lines."""

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError

from carillon.contracts import ids
from carillon.observability.correlation import bound, new_correlation_id
from carillon.web.tenants.services import OrganizationNotFound
from user_service.json_lines import Line, LineResult, read_lines
from user_service.users.services.importing import TOGETHER, import_users


class Command(BaseCommand):
    """Any number of lines, each judged on its own, a few hundred at a time."""

    help = (
        "Imports users from a file of JSON Lines, one user a line, as POST /api/v1/users/import/ "
        "takes them. Refused lines are named on stderr and make the exit code 1; running it again "
        "is safe for lines with an external_id."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file and whose users they are."""
        parser.add_argument("file", help="the file, or - for standard input")
        parser.add_argument("--organization", required=True, help="the organization's id (org_…)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError if a line was refused, or nothing could be done at all."""
        organization_id = options["organization"]
        if ids.parse_id(ids.ORGANIZATION, organization_id) is None:
            raise CommandError(f"{organization_id!r} is no organization id (org_…).")
        outcomes: Counter[str] = Counter()
        with _opened(options["file"]) as file, bound(new_correlation_id()):
            lines = read_lines(file.readline)
            for chunk in _chunks(lines):
                try:
                    results = import_users(organization_id, chunk)
                except OrganizationNotFound as error:
                    raise CommandError(error.message) from None
                outcomes.update(result.outcome for result in results)
                self._report(results)
                self._progress(outcomes)
        if outcomes["refused"]:
            raise CommandError(f"{outcomes['refused']} lines were refused; see above.")

    def _report(self, results: list[LineResult]) -> None:
        for result in results:
            if result.error:
                reasons = "; ".join(
                    f"{field}: {' '.join(problems)}" for field, problems in result.details.items()
                )
                self.stderr.write(
                    f"line {result.line}: {result.error}: {reasons or result.message}"
                )

    def _progress(self, outcomes: Counter[str]) -> None:
        self.stdout.write(
            f"{outcomes.total():>9,} lines: {outcomes['created']:,} created, "
            f"{outcomes['updated']:,} updated, {outcomes['refused']:,} refused"
        )
        self.stdout.flush()


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(name).open("rb") as file:
            yield file
    except OSError as error:
        raise CommandError(f"Cannot read {name}: {error.strerror}.") from None


def _chunks(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while chunk := list(islice(lines, TOGETHER)):
        yield chunk
