"""Request bodies, with the field names of reference 003."""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from carillon.contracts.channels import CHANNELS
from carillon.contracts.messages import DeliveryPolicy
from carillon.rendering.limits import SOURCE_MOST, SUBJECT_MOST
from template_service.templates.models import CODE_LENGTH, NAME_LENGTH

DESCRIPTION_LENGTH = 2_000
VARIABLES_MOST = 200
VARIABLE_LENGTH = 100

Code: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=CODE_LENGTH,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description="Unique within the organization; ASCII letters, digits, and _ . -",
        examples=["welcome_email"],
    ),
]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH)]
Description: TypeAlias = Annotated[str, Meta(max_length=DESCRIPTION_LENGTH)]
# The table of channels is open; the schema shows what it holds now.
Type: TypeAlias = Annotated[
    str, Meta(max_length=20, description="The channel.", extra_json_schema={"enum": [*CHANNELS]})
]
Subject: TypeAlias = Annotated[
    str,
    Meta(
        max_length=SUBJECT_MOST,
        description="Of an email: required to publish. Of a push: its title.",
        examples=["Welcome, {{ name }}!"],
    ),
]
Source: TypeAlias = Annotated[str, Meta(max_length=SOURCE_MOST)]
Language: TypeAlias = Annotated[
    str, Meta(max_length=40, description="BCP 47.", examples=["en", "pt-BR"])
]
Variables: TypeAlias = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=VARIABLE_LENGTH)]],
    Meta(max_length=VARIABLES_MOST),
]
Category: TypeAlias = Annotated[
    str,
    Meta(
        max_length=64,
        pattern=r"^([a-z0-9][a-z0-9_-]*)?$",
        description="What people can opt out of; otp and security are urgent and essential.",
        examples=["marketing"],
    ),
]
NewStatus: TypeAlias = Annotated[
    Literal["draft", "active"], Meta(description="Active means: published at once.")
]
Number: TypeAlias = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class TemplateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new template with its first version, or all of a further version (PUT)."""

    code: Code
    name: Name
    type: Type
    description: Description = ""
    subject: Subject = ""
    content: Source = ""
    html_content: Source = ""
    language: Language = "en"
    status: NewStatus = "draft"
    variables: Variables = []
    optional_variables: Variables = []
    category: Category = ""
    delivery: DeliveryPolicy = DeliveryPolicy.AT_LEAST_ONCE


class TemplateChangeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A change: what is not named stays as it is in the newest version of the language."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    category: Category | UnsetType = UNSET
    delivery: DeliveryPolicy | UnsetType = UNSET
    default_language: Language | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    subject: Subject | UnsetType = UNSET
    content: Source | UnsetType = UNSET
    html_content: Source | UnsetType = UNSET
    variables: Variables | UnsetType = UNSET
    optional_variables: Variables | UnsetType = UNSET
    status: NewStatus | UnsetType = UNSET


class PublishBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which version to publish; by default the newest draft."""

    version: Number | None = None


class RollbackBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which version to bring back."""

    version: Number


class LintBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which version to look at; by default the newest of the language."""

    version: Number | None = None
    language: Language | None = None


class PreviewBody(LintBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which version to render, and with what."""

    data: Annotated[dict[str, Any], Meta(description="The variables.")] = {}
