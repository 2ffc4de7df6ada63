"""What a template lacks in one language that it, or its neighbours, have in another."""

from collections.abc import Iterator

from carillon.rendering import Problem, is_partial
from template_service.templates.models import Template, TemplateVersion, VersionStatus
from template_service.templates.selectors import newest_words

LANGUAGES_NAMED = 10


def missing_translations(template: Template, version: TemplateVersion) -> Iterator[Problem]:
    """Warnings: languages, and fields of a version that is not in the default language."""
    own = set(template.versions.values_list("language", flat=True).distinct())
    published = template.versions.filter(status=VersionStatus.ACTIVE)
    spoken = set(published.values_list("language", flat=True))
    default = template.default_language
    if spoken and default not in spoken:
        message = (
            f"Nothing is published in {default}, the default language that others fall back to."
        )
        yield _problem("missing_default_language", "language", message)
    if not is_partial(template.code):
        lacking = [tag for tag in _spoken_elsewhere(template) if not _covered(tag, own)]
        if lacking:
            named = ", ".join(lacking[:LANGUAGES_NAMED])
            message = f"Other templates are published in {named}; this one is not written in it."
            yield _problem("missing_language", "language", message)
    if version.language != default:
        yield from _missing_fields(template, version)


def _missing_fields(template: Template, version: TemplateVersion) -> Iterator[Problem]:
    original = newest_words(template, template.default_language)
    if original is None:
        return
    for name, fields in (
        ("subject", ("subject",)),
        ("content", ("content",)),
        ("html_content", ("html_content", "mjml")),
    ):
        if _has(original, fields) and not _has(version, fields):
            has = f"Version {original.number} ({original.language}) has this"
            message = f"{has}; {version.language} has not."
            yield _problem("missing_translation", name, message)


def _has(version: TemplateVersion, fields: tuple[str, ...]) -> bool:
    return any(getattr(version, field).strip() for field in fields)


def _spoken_elsewhere(template: Template) -> list[str]:
    others = TemplateVersion.objects.filter(
        template__organization_id=template.organization_id,
        template__is_archived=False,
        status=VersionStatus.ACTIVE,
    ).exclude(template=template)
    # Partials are put into others, and fall back there.
    sendable = others.exclude(template__code__startswith="_")
    return sorted(sendable.values_list("language", flat=True).distinct())


def _covered(tag: str, own: set[str]) -> bool:
    """pt covers pt-BR."""
    subtags = tag.split("-")
    return any("-".join(subtags[:count]) in own for count in range(len(subtags), 0, -1))


def _problem(code: str, field: str, message: str) -> Problem:
    return Problem(code=code, message=message, field=field)
