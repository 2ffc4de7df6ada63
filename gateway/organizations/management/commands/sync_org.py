"""`manage.py sync_org ID`: tell the internal services of an organization again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from carillon.contracts import ids
from gateway.organizations.models import Organization
from gateway.organizations.synchronization import OrganizationCopy, address_of, tell_services


class Command(BaseCommand):
    """Repairs the services' copies, after a --skip flag or an outage. Safe to repeat."""

    help = "Tell the user and the template service of an organization, or of all of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The command's arguments."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("organization_id", metavar="ID", nargs="?", help="an org_… id")
        which.add_argument("--all", action="store_true", help="every organization")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises CommandError with what to do."""
        organizations = Organization.objects.all()
        if not options["all"]:
            organization_id = options["organization_id"]
            if ids.parse_id(ids.ORGANIZATION, organization_id) is None:
                raise CommandError("ID is an organization's id, org_ and 32 hex digits.")
            organizations = organizations.filter(pk=organization_id)
        told = 0
        for organization in organizations.iterator():
            copy = OrganizationCopy(organization.pk, organization.name, organization.is_active)
            failed = tell_services(copy)
            if failed:
                places = " and ".join(f"{name} at {address_of(name)}" for name in failed)
                raise CommandError(f"No answer from {places}: start what is down and run again.")
            told += 1
        if not told and not options["all"]:
            raise CommandError("There is no such organization.")
        self.stdout.write(f"Told both services of {told} organization(s).")
