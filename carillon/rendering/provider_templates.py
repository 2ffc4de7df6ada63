"""The template of a WhatsApp provider that a version names: its values are texts of ours."""

from collections.abc import Iterator, Mapping

import msgspec

from carillon.contracts.messages import ProviderTemplate
from carillon.contracts.records import PublishedVersion
from carillon.contracts.whatsapp import VALUE_LENGTH
from carillon.rendering.errors import EmptyContent, OutputTooLarge

FIELD = "provider_template"


def value_sources(template: ProviderTemplate) -> Iterator[tuple[str, str]]:
    """Each value with the name of its place, which is that of an error's field."""
    for number, source in enumerate(template.header):
        yield f"{FIELD}.header.{number}", source
    for number, source in enumerate(template.parameters):
        yield f"{FIELD}.parameters.{number}", source
    for position, source in sorted(template.buttons.items()):
        yield f"{FIELD}.buttons.{position}", source


def provider_values(version: PublishedVersion) -> Iterator[tuple[str, str]]:
    """`value_sources` of a version's template; nothing where it names none."""
    if version.provider_template is not None:
        yield from value_sources(version.provider_template)


def filled(template: ProviderTemplate, rendered: Mapping[str, str]) -> ProviderTemplate:
    """The template with its values as they were rendered, by the names of their places.

    White space of several characters, line breaks among it, becomes one space: WhatsApp refuses a
    value with more. Raises EmptyContent or OutputTooLarge: it refuses such values, too.
    """
    values = {field: _value(field, rendered.get(field, "")) for field, _ in value_sources(template)}
    return msgspec.structs.replace(
        template,
        header=tuple(values[f"{FIELD}.header.{number}"] for number in range(len(template.header))),
        parameters=tuple(
            values[f"{FIELD}.parameters.{number}"] for number in range(len(template.parameters))
        ),
        buttons={position: values[f"{FIELD}.buttons.{position}"] for position in template.buttons},
    )


def _value(field: str, text: str) -> str:
    value = " ".join(text.split())
    if not value:
        raise EmptyContent("WhatsApp takes no empty value: give it a default.", field=field)
    if len(value) > VALUE_LENGTH:
        raise OutputTooLarge(f"A value may have {VALUE_LENGTH} characters.", field=field)
    return value
