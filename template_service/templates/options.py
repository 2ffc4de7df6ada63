"""What a template's options must be, beyond the form of each; reads of the fallback's template."""

from collections.abc import Iterator
from dataclasses import dataclass

from carillon.contracts.channels import CHANNELS, ContentKind
from carillon.contracts.records import PublishedVersion
from carillon.contracts.template_variables import BUILT_IN
from carillon.rendering import Problem, is_partial
from carillon.web.errors import ValidationFailed
from template_service.templates.models import Template, TemplateVersion, VersionStatus
from template_service.templates.selectors import fallback_of, published, with_code

FIELD = "fallback"
# Given without being sent: of a known user, and built in.
_GIVEN = frozenset({"user", *BUILT_IN})


@dataclass(frozen=True, slots=True)
class FallbackFindings:
    """`errors` say why it could not be sent, `warnings` when it would not be."""

    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def require_fitting(template: Template, version: TemplateVersion | None) -> None:
    """Each option is one of the template's channel. Raises ValidationFailed."""
    wrong: dict[str, list[str]] = {}
    if template.push and CHANNELS[template.type].content is not ContentKind.PUSH:
        wrong["push"] = ["Only a push has these options."]
    if version is not None and version.provider_template and template.type != "whatsapp":
        wrong["provider_template"] = ["Only WhatsApp has templates of the provider."]
    rule = fallback_of(template)
    if rule is not None and rule.channel == template.type:
        wrong[FIELD] = ["The fallback's channel is another than the template's."]
    if wrong:
        raise ValidationFailed(details=wrong)


def check_fallback(template: Template, content: PublishedVersion) -> FallbackFindings:
    """What is wrong with the template's fallback for sends of `content`."""
    rule = fallback_of(template)
    if rule is None or is_partial(template.code):
        return FallbackFindings()
    target = with_code(template.organization_id, rule.template_code).first()
    if target is None or target.is_archived or is_partial(target.code):
        return _refused(f"There is no template {rule.template_code} that could be sent.")
    if target.type != rule.channel:
        return _refused(f"{target.code} is a template of type {target.type}, not {rule.channel}.")
    versions = list(target.versions.filter(status=VersionStatus.ACTIVE).order_by("language"))
    if not versions:
        return _refused(f"Nothing is published of {target.code}.")
    errors: list[Problem] = []
    warnings: list[Problem] = []
    for version in versions:
        told = f"{target.code} ({version.language})"
        needed = set(published(version).variables) - _GIVEN - set(content.variables)
        optional = needed & set(content.optional_variables)
        errors.extend(_missing(told, needed - optional))
        warnings.extend(_perhaps_missing(told, optional))
    if target.fallback:
        message = f"{target.code} has a fallback of its own, which is not followed."
        warnings.append(Problem(code="fallback_of_fallback", message=message, field=FIELD))
    return FallbackFindings(tuple(errors), tuple(warnings))


def lacking_origins(template: Template, content: PublishedVersion) -> Iterator[Problem]:
    """Warnings: what falls back on the template, and does not declare what `content` requires."""
    needed = set(content.variables) - _GIVEN
    origins = Template.objects.filter(
        organization_id=template.organization_id,
        is_archived=False,
        fallback__template_code=template.code,
    )
    for origin in origins.prefetch_related("versions").order_by("code") if needed else ():
        for version in origin.versions.all():
            known = published(version)
            lacking = needed - {*known.variables, *known.optional_variables}
            if version.status == VersionStatus.ACTIVE and lacking:
                message = (
                    f"{origin.code} ({version.language}) falls back on this, and declares no "
                    f"{', '.join(sorted(lacking))}: its fallback would not be sent."
                )
                yield Problem(code="fallback_origin", message=message, field="variables")


def _refused(message: str) -> FallbackFindings:
    return FallbackFindings((Problem(code="fallback_unusable", message=message, field=FIELD),))


def _missing(told: str, names: set[str]) -> Iterator[Problem]:
    if names:
        message = (
            f"{told} requires {', '.join(sorted(names))}: declare it here, too, so that sends give "
            "it."
        )
        yield Problem(code="fallback_variables", message=message, field=FIELD)


def _perhaps_missing(told: str, names: set[str]) -> Iterator[Problem]:
    if names:
        message = (
            f"{told} requires {', '.join(sorted(names))}, which is optional here: without it "
            "there is no fallback."
        )
        yield Problem(code="fallback_variables_optional", message=message, field=FIELD)
