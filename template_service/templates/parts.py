"""Reads of layouts and partials: what is published of them, and which versions have them in."""

from dataclasses import dataclass, field

from carillon.rendering import Part, is_partial
from template_service.templates.models import Template, TemplateVersion, VersionStatus
from template_service.templates.selectors import CODE, SOURCES, best_match


@dataclass(frozen=True, slots=True)
class PublishedParts:
    """What is published of an organization's templates for texts in `language`, read once."""

    organization_id: str
    language: str
    _found: dict[str, Part | None] = field(default_factory=dict)

    def __call__(self, code: str) -> Part | None:
        """In the language that fits best. None where nothing fits, or nothing is published."""
        if code not in self._found:
            self._found[code] = self._find(code)
        return self._found[code]

    def _find(self, code: str) -> Part | None:
        if not CODE.fullmatch(code):
            return None
        versions = TemplateVersion.objects.filter(
            template__organization_id=self.organization_id,
            template__code=code,
            template__is_archived=False,
            status=VersionStatus.ACTIVE,
        ).select_related("template")
        if not versions:
            return None
        chosen = best_match(list(versions), self.language, versions[0].template.default_language)
        if chosen is None:
            return None
        return Part(
            code=code,
            number=chosen.number,
            language=chosen.language,
            fields={name: getattr(chosen, name) for name in SOURCES},
            variables=tuple(chosen.variables),
            optional_variables=tuple(chosen.optional_variables),
        )


def outdated_parts(version: TemplateVersion, find: PublishedParts) -> list[Part]:
    """Of the parts in a published version those that are published otherwise by now."""
    now = [(find(used["code"]), used["version"]) for used in version.parts]
    return [part for part, number in now if part is not None and part.number != number]


def outdated_dependents(template: Template) -> list[TemplateVersion]:
    """What is sent with another version of `template` in it than it would get now.

    By code and language; with their templates.
    """
    having = TemplateVersion.objects.filter(
        template__organization_id=template.organization_id,
        template__is_archived=False,
        status=VersionStatus.ACTIVE,
        parts__contains=[{"code": template.code}],
    )
    found: list[TemplateVersion] = []
    by_language: dict[str, PublishedParts] = {}
    for version in having.select_related("template").order_by("template__code", "language"):
        find = by_language.setdefault(
            version.language, PublishedParts(template.organization_id, version.language)
        )
        changed = {part.code for part in outdated_parts(version, find)}
        if template.code in changed and not is_partial(version.template.code):
            found.append(version)
    return found
