"""`manage.py rotate_credentials`: encrypt all provider accounts with the first key, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gateway.connections import credential_sealer
from gateway.provider_accounts.services import Rotation, rotate_credentials


class Command(BaseCommand):
    """Run it after a new key was put before the old one in CREDENTIALS_KEYS, everywhere."""

    help = (
        "Encrypt the credentials of all provider accounts with the first of CREDENTIALS_KEYS. "
        "Safe to repeat; afterwards the other keys can be removed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to change anything."""
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError where no key opens an account."""
        dry_run: bool = options["dry_run"]

        def progress(rotation: Rotation) -> None:
            self.stdout.write(f"{rotation.total} so far")

        done = rotate_credentials(credential_sealer(), dry_run=dry_run, progress=progress)
        what = "would be encrypted again" if dry_run else "were encrypted again"
        self.stdout.write(
            f"{done.renewed} accounts {what}, {done.newest} have the first key already."
        )
        if done.unreadable:
            raise CommandError(
                f"No key opens {done.unreadable} account(s): the log names them. Put the key that "
                "is missing into CREDENTIALS_KEYS, or send their credentials anew."
            )
