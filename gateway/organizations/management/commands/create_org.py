"""`manage.py create_org NAME`: an organization, its two API keys, and the services told of it."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter
from django.db import OperationalError

from carillon.contracts import ids
from gateway.organizations.models import PlanName
from gateway.organizations.services import CreatedOrganization, create_organization
from gateway.organizations.synchronization import (
    ALL_SERVICES,
    TEMPLATE_SERVICE,
    USER_SERVICE,
    OrganizationCopy,
    address_of,
    tell_services,
    unreachable,
)

_EPILOG = """\
The services are told first and the organization is stored last: if one of them is down, nothing is
created, and the same command can be run again. The keys are shown once; only digests are stored.

example:
  python manage.py create_org "Acme" --plan pro --quota 10000
"""


class _HelpFormatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Our own options first, the epilog as it is written."""


class Command(BaseCommand):
    """Creates an organization."""

    help = "Create an organization with a live and a test API key, and tell the internal services."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The command's arguments."""
        parser.epilog = _EPILOG
        parser.formatter_class = _HelpFormatter
        parser.add_argument("name", metavar="NAME", help="what people call it")
        parser.add_argument(
            "--plan",
            choices=PlanName.values,
            default=PlanName.FREE.value,
            help="sets the requests per minute and the monthly quota (default: free)",
        )
        parser.add_argument(
            "--quota",
            type=int,
            metavar="N",
            help="notifications per month, in place of the plan's own quota",
        )
        parser.add_argument(
            "--skip-user-service",
            action="store_true",
            help="do not tell the user service; `sync_org` does it later",
        )
        parser.add_argument(
            "--skip-template-service",
            action="store_true",
            help="do not tell the template service; `sync_org` does it later",
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object and nothing else"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises CommandError with what to do."""
        name = options["name"].strip()
        if not 1 <= len(name) <= 200 or not name.isprintable():
            raise CommandError("NAME needs 1 to 200 printable characters.")
        if options["quota"] is not None and options["quota"] < 0:
            raise CommandError("--quota cannot be negative.")
        organization_id = ids.new_id(ids.ORGANIZATION)
        self._tell(OrganizationCopy(organization_id, name), options)
        try:
            created = create_organization(
                organization_id=organization_id,
                name=name,
                plan=options["plan"],
                monthly_quota=options["quota"],
            )
        except OperationalError as error:
            raise CommandError(
                f"The gateway's database is not available, nothing was created: {error}"
            ) from error
        self._print(created, as_json=options["json"])

    def _tell(self, copy: OrganizationCopy, options: dict[str, Any]) -> None:
        skipped = {
            USER_SERVICE: options["skip_user_service"],
            TEMPLATE_SERVICE: options["skip_template_service"],
        }
        services = [name for name in ALL_SERVICES if not skipped[name]]
        down = unreachable(services) or tell_services(copy, services)
        if down:
            places = " and ".join(f"{name} at {address_of(name)}" for name in down)
            flags = " ".join(f"--skip-{name.replace('_', '-')}" for name in down)
            raise CommandError(
                f"No answer from {places}. Nothing was created: start what is down and run this "
                f"again, or create the organization without it ({flags}) and run "
                f"`sync_org` when it is up."
            )

    def _print(self, created: CreatedOrganization, *, as_json: bool) -> None:
        organization = created.organization
        if as_json:
            shown = {
                "organization_id": organization.pk,
                "name": organization.name,
                "plan": organization.plan,
                "quota": organization.monthly_quota,
                "api_key": created.live.text,
                "test_api_key": created.test.text,
            }
            self.stdout.write(msgspec.json.encode(shown).decode())
            return
        quota = "the plan's" if organization.monthly_quota is None else organization.monthly_quota
        self.stdout.write(
            f"Organization created: {organization.name}\n"
            f"  Organization ID:  {organization.pk}\n"
            f"  Plan:             {organization.plan} (monthly quota: {quota})\n"
            f"  API key:          {created.live.text}\n"
            f"  Test API key:     {created.test.text}\n"
            "The keys are not shown again. The test key delivers to the sandbox only."
        )
