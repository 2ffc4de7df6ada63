"""`manage.py templates export|import DIR --organization org_…`: templates as files."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from carillon.contracts import ids
from carillon.observability.correlation import bound, new_correlation_id
from carillon.web.errors import ApiError
from carillon.web.tenants.models import Organization
from template_service.templates import files
from template_service.templates.services.transfer import export_templates, import_templates


class Command(BaseCommand):
    """A template that is refused is named on stderr and left as it was; the others go on."""

    help = (
        "Writes an organization's templates to a folder, or takes them from one.\n\n"
        f"{files.__doc__}\n"
        "export: of each language what is published, else the newest draft; archived templates\n"
        "are left out. import: words that differ become a new version, which is published where\n"
        "its file says `status: active`, and so is what has a changed part in it. Importing twice\n"
        "changes nothing the second time; no template is removed. A refused template makes the\n"
        "exit code 1."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """The help keeps its lines."""
        kwargs.setdefault("formatter_class", RawDescriptionHelpFormatter)
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which way, where, whose."""
        parser.add_argument("action", choices=("export", "import"))
        parser.add_argument("folder", metavar="DIR", type=Path)
        parser.add_argument("--organization", required=True, help="the organization's id (org_…)")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, and do nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError if a template was refused, or nothing could be done at all."""
        organization_id = options["organization"]
        if ids.parse_id(ids.ORGANIZATION, organization_id) is None:
            raise CommandError(f"{organization_id!r} is no organization id (org_…).")
        if not Organization.objects.filter(id=organization_id).exists():
            raise CommandError(f"There is no organization {organization_id}.")
        act = self._export if options["action"] == "export" else self._import
        try:
            with bound(new_correlation_id()):
                act(options["folder"], organization_id, dry_run=options["dry_run"])
        except (files.UnreadableFile, OSError) as error:
            raise CommandError(str(error)) from None

    def _export(self, folder: Path, organization_id: str, *, dry_run: bool) -> None:
        count = 0
        for template in export_templates(organization_id):
            count += 1
            if not dry_run:
                files.write_template(folder, template)
        verb = "would be written" if dry_run else "written"
        self.stdout.write(f"{count} templates {verb} to {folder}")

    def _import(self, folder: Path, organization_id: str, *, dry_run: bool) -> None:
        imported = import_templates(organization_id, files.read_templates(folder), dry_run=dry_run)
        for code, error in sorted(imported.refused.items()):
            self.stderr.write(f"{code}: {_reasons(error)}")
        changed = {code: done for code, done in sorted(imported.done.items()) if done}
        for code, done in changed.items():
            self.stdout.write(f"{code}: {'; '.join(done)}")
        same = len(imported.done.keys() - changed.keys())
        tense = "would change" if dry_run else "changed"
        self.stdout.write(f"{len(changed)} templates {tense}, {same} are as the files say")
        if imported.refused:
            raise CommandError(f"{len(imported.refused)} templates were refused; see above.")


def _reasons(error: ApiError) -> str:
    reasons = [error.message]
    for field, problems in (error.details or {}).items():
        listed = problems if isinstance(problems, list) else [problems]
        reasons.append(f"{field}: {' '.join(map(str, listed))}")
    return "; ".join(reasons)
