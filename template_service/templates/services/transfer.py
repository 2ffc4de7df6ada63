"""All templates of an organization, out to files and back in."""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, TypeVar

import msgspec
from django.db import transaction

from carillon.contracts.actors import Actor
from carillon.rendering import is_partial
from carillon.web import strict_json
from carillon.web.errors import ApiError, ValidationFailed
from template_service.templates.bodies import ChangeBody, TemplateBody
from template_service.templates.files import LanguageFiles, TemplateFiles
from template_service.templates.models import Template, TemplateVersion, VersionStatus
from template_service.templates.option_bodies import (
    FallbackBody,
    ProviderTemplateBody,
    PushBody,
    kept,
)
from template_service.templates.selectors import find_template
from template_service.templates.services.changes import WORDS, lock_publishing
from template_service.templates.services.dependents import settle_dependents
from template_service.templates.services.drafting import change_template, create_template
from template_service.templates.services.publishing import publish_version

# The template's facts that are texts.
FACTS = ("name", "description", "category", "delivery")
# Those that are none: absent from a file where they are as they come.
SWITCHES = {
    "track_opens": "false",
    "track_clicks": "false",
    "expect_receipt_within": "0",
    "fallback": "null",
    "push": "null",
}
# What has fields of its own: JSON in one line.
OBJECTS = {"fallback": FallbackBody, "push": PushBody, "provider_template": ProviderTemplateBody}
PROVIDER = "provider_template"
# Who, for the versions that are made.
ACTOR = Actor("manage.py", "templates import")
_Body = TypeVar("_Body", TemplateBody, ChangeBody)


def export_templates(organization_id: str) -> Iterator[TemplateFiles]:
    """By code, without archived ones: of each language what is published, else the newest draft."""
    templates = Template.objects.filter(organization_id=organization_id, is_archived=False)
    for template in templates.prefetch_related("versions"):
        chosen: dict[str, TemplateVersion] = {}
        for version in sorted(template.versions.all(), key=_preference):
            chosen.setdefault(version.language, version)
        facts = {field: str(getattr(template, field)) for field in FACTS}
        facts |= {field: _switch(template, field) for field in SWITCHES}
        facts.update(type=template.type, default_language=template.default_language)
        languages = [
            LanguageFiles(language, _status(version), _words(version))
            for language, version in sorted(chosen.items())
        ]
        yield TemplateFiles(template.code, facts, template.sample_data, languages)


@dataclasses.dataclass(slots=True)
class Imported:
    """By code what was done, a line each, and what was refused."""

    done: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    refused: dict[str, ApiError] = dataclasses.field(default_factory=dict)


def import_templates(
    organization_id: str, found: Sequence[TemplateFiles], *, dry_run: bool
) -> Imported:
    """Each template whole or not at all; those that others have in them first.

    Nothing is done where a template is as its files say. What has a part in it that was published
    otherwise is published anew at the end.
    """
    imported = Imported()
    with transaction.atomic() if dry_run else nullcontext():
        waiting = sorted(found, key=lambda files: (not is_partial(files.code), files.code))
        while waiting:
            before = len(waiting)
            waiting = [files for files in waiting if not _imports(organization_id, files, imported)]
            if len(waiting) == before:
                break
        for code in [code for code, done in imported.done.items() if done]:
            _settle(organization_id, code, imported)
        if dry_run:
            transaction.set_rollback(True)
    return imported


def _imports(organization_id: str, files: TemplateFiles, imported: Imported) -> bool:
    """False where it was refused: perhaps for a part that is not there yet."""
    try:
        imported.done[files.code] = _import_template(organization_id, files)
    except ApiError as error:
        imported.refused[files.code] = error
        return False
    imported.refused.pop(files.code, None)
    return True


def _settle(organization_id: str, code: str, imported: Imported) -> None:
    try:
        with transaction.atomic():
            lock_publishing(organization_id)
            template = find_template(organization_id, code)
            for made in settle_dependents(template, republish=True, actor=ACTOR):
                told = (
                    f"{made.language}: version {made.republished_as}, published with a new {code}"
                )
                imported.done.setdefault(made.code, []).append(told)
    except ApiError as error:
        imported.refused[code] = error


def _import_template(organization_id: str, files: TemplateFiles) -> list[str]:
    """Words that differ become a new version, and what the files call active is published.

    Raises ValidationFailed, OrganizationNotFound and what publishing raises.
    """
    with transaction.atomic():
        lock_publishing(organization_id)
        template = Template.objects.filter(organization_id=organization_id, code=files.code).first()
        done: list[str] = []
        if template is None:
            template = _create(organization_id, files)
            done.append("created")
        else:
            _check_same(template, files)
            facts = _changed_facts(template, files)
            if facts:
                body = _converted(facts, ChangeBody)
                change_template(organization_id, files.code, body, if_match="", actor=ACTOR)
                done.append(f"changed {', '.join(facts)}")
        for language in files.languages:
            done.extend(_import_language(template, language))
    return done


def _create(organization_id: str, files: TemplateFiles) -> Template:
    default = files.facts.get("default_language", "en")
    first = next((found for found in files.languages if found.language == default), None)
    if first is None:
        raise ValidationFailed(f"There is no {default}.txt, the default language's.")
    facts = {key: value for key, value in files.facts.items() if key != "default_language"}
    fields: dict[str, Any] = {**facts, **first.words, "code": files.code, "language": default}
    fields["sample_data"] = files.sample_data
    body = _converted({**fields, "status": first.status}, TemplateBody)
    template, _ = create_template(organization_id, body, actor=ACTOR)
    return template


def _check_same(template: Template, files: TemplateFiles) -> None:
    for field in ("type", "default_language"):
        if files.facts.get(field, getattr(template, field)) != getattr(template, field):
            raise ValidationFailed(f"The {field} of a template cannot be changed.")


def _changed_facts(template: Template, files: TemplateFiles) -> dict[str, Any]:
    defaults = {"category": "", "delivery": "at_least_once", "description": ""}
    wanted: dict[str, Any] = {
        field: files.facts.get(field, defaults.get(field, "")) for field in FACTS
    }
    wanted["sample_data"] = files.sample_data
    changed = {field: value for field, value in wanted.items() if value != getattr(template, field)}
    for field, default in SWITCHES.items():
        value = files.facts.get(field, "")
        said = _normal(field, value) if field in OBJECTS else value
        if said != _switch(template, field):
            changed[field] = value or default
    return changed


def _switch(template: Template, field: str) -> str:
    """As a file has it."""
    value = getattr(template, field)
    if field in OBJECTS:
        return _line(value)
    return "" if not value else "true" if value is True else str(value)


def _line(value: object) -> str:
    """An object as a file has it: nothing where there is none."""
    return "" if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _import_language(template: Template, files: LanguageFiles) -> list[str]:
    if files.status not in {VersionStatus.ACTIVE, VersionStatus.DRAFT}:
        message = f"{files.language}.txt: the status is active or draft."
        raise ValidationFailed(message)
    held = template.versions.filter(language=files.language).order_by("-number")
    if files.status == VersionStatus.ACTIVE:
        held = held.filter(status=VersionStatus.ACTIVE)
    newest = held.first()
    said = {**files.words, PROVIDER: _normal(PROVIDER, str(files.words[PROVIDER]))}
    if newest is not None and _words(newest) == said:
        return []
    body = _converted({**files.words, "language": files.language}, ChangeBody)
    organization_id = template.organization_id
    _, draft = change_template(organization_id, template.code, body, if_match="", actor=ACTOR)
    done = [f"{files.language}: version {draft.number}"]
    if files.status == VersionStatus.ACTIVE:
        publish_version(organization_id, template.code, draft.number, if_match="", actor=ACTOR)
        done = [f"{done[0]}, published"]
    return done


def _words(version: TemplateVersion) -> dict[str, str | list[str]]:
    return {
        field: _line(value) if field in OBJECTS else value
        for field in WORDS
        for value in (getattr(version, field),)
    }


def _status(version: TemplateVersion) -> str:
    active = version.status == VersionStatus.ACTIVE
    return VersionStatus.ACTIVE.value if active else VersionStatus.DRAFT.value


def _preference(version: TemplateVersion) -> tuple[bool, int]:
    return version.status != VersionStatus.ACTIVE, -version.number


def _converted(fields: Mapping[str, Any], shape: type[_Body]) -> _Body:
    try:
        read = {
            name: _object(name, value) if name in OBJECTS else value
            for name, value in fields.items()
        }
        # Files have numbers and truths as text.
        return msgspec.convert(read, shape, strict=False)
    except msgspec.ValidationError as error:
        raise ValidationFailed(str(error)) from None


def _normal(name: str, text: str) -> str:
    """As `_line` writes what the text says. Raises ValidationFailed."""
    try:
        return _line(kept(msgspec.convert(_object(name, text), OBJECTS[name] | None)))
    except msgspec.ValidationError as error:
        raise ValidationFailed(details={name: [str(error)]}) from None


def _object(name: str, text: str) -> object:
    """Raises ValidationFailed."""
    try:
        return strict_json.loads(text.encode()) if text else None
    except strict_json.InvalidJSONText as error:
        raise ValidationFailed(details={name: [f"Expected JSON: {error}."]}) from None
