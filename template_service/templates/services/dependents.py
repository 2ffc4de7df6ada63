"""What has a template in it when another version of that is published."""

from dataclasses import dataclass

from carillon.contracts.actors import Actor
from carillon.web.errors import ValidationFailed
from template_service.templates.models import Template, TemplateVersion
from template_service.templates.parts import outdated_dependents
from template_service.templates.selectors import published
from template_service.templates.services.changes import (
    WORDS,
    activate,
    new_version,
    next_number,
    publish_change,
)
from template_service.templates.services.checks import require_publishable


@dataclass(frozen=True, slots=True)
class Dependent:
    """A published version with an earlier part in it.

    `republished_as` is the version that took its place, None where none did. Sends have to give
    `variables_added` from then on.
    """

    code: str
    language: str
    version: int
    republished_as: int | None = None
    variables_added: tuple[str, ...] = ()


def settle_dependents(template: Template, *, republish: bool, actor: Actor) -> list[Dependent]:
    """Those of a template that was just published, in its transaction; publishes them anew.

    Raises ValidationFailed where one of them would be broken by it, and names each.
    """
    found = outdated_dependents(template)
    if not republish:
        return [Dependent(v.template.code, v.language, v.number) for v in found]
    settled: list[Dependent] = []
    refused: dict[str, list[str]] = {}
    for version in found:
        try:
            settled.append(_republish(version, actor))
        except ValidationFailed as error:
            refused[f"{version.template.code} ({version.language})"] = _reasons(error)
    if refused:
        message = "Nothing was published: these templates would be broken."
        raise ValidationFailed(message, details=refused)
    return settled


def _reasons(error: ValidationFailed) -> list[str]:
    reasons: list[str] = []
    for field, told in (error.details or {}).items():
        listed = told if isinstance(told, list) else [told]
        reasons.extend(f"{field}: {reason}" for reason in listed)
    return reasons


def _republish(version: TemplateVersion, actor: Actor) -> Dependent:
    """The same words as a version of their own: what was published before stays as it was."""
    template = Template.objects.select_for_update(no_key=True).get(pk=version.template_id)
    copy = new_version(
        template,
        next_number(template),
        version.language,
        actor,
        copy_of=version.number,
        **{field: getattr(version, field) for field in WORDS},
    )
    require_publishable(template, copy)
    activate(template, copy, actor)
    publish_change(template, "republished")
    before = set(published(version).variables)
    added = tuple(name for name in published(copy).variables if name not in before)
    return Dependent(template.code, version.language, version.number, copy.number, added)
