"""What the calls answer."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from carillon.contracts.actors import Actor
from carillon.contracts.messages import ProviderTemplate
from carillon.contracts.records import FallbackRule, PushDelivery


class ProblemShape(msgspec.Struct, frozen=True):
    """Something wrong, and where; line and column count from 1, 0 where they say nothing."""

    code: str
    message: str
    field: str
    line: int
    column: int


class LintShape(msgspec.Struct, frozen=True):
    """`errors` keep a version from being published; `warnings` do not."""

    version: int
    language: str
    publishable: bool
    errors: list[ProblemShape]
    warnings: list[ProblemShape]


class DependentShape(msgspec.Struct, frozen=True):
    """A published version that has an earlier version of this template in it.

    `republished_as` is the version that took its place, null where it was not published anew;
    `variables_added` are those that sends have to give from then on.
    """

    code: str
    language: str
    version: int
    republished_as: int | None
    variables_added: list[str]


class TemplateShape(msgspec.Struct, frozen=True, kw_only=True):
    """A template with one of its versions: the reference's fields, and ours.

    `created_by` wrote this version. `lint` is in the answers of calls that write, `dependents` in
    those that publish.
    """

    template_id: str
    code: str
    name: str
    description: str
    type: str
    category: str
    delivery: str
    track_opens: bool
    track_clicks: bool
    expect_receipt_within: int
    fallback: FallbackRule | None
    push: PushDelivery | None
    default_language: str
    version: int
    language: str
    status: str
    subject: str
    content: str
    html_content: str
    mjml: str
    provider_template: ProviderTemplate | None
    variables: list[str]
    optional_variables: list[str]
    sample_data: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    created_by: Actor | None
    published_at: datetime | None
    published_by: Actor | None
    lint: LintShape | UnsetType = UNSET
    dependents: list[DependentShape] | UnsetType = UNSET


class StampShape(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote and who published a version, and when."""

    created_at: datetime
    created_by: Actor | None
    published_at: datetime | None
    published_by: Actor | None


class PartShape(msgspec.Struct, frozen=True):
    """A layout or partial that is in a published version."""

    code: str
    version: int
    language: str


class VersionShape(StampShape, frozen=True, kw_only=True):
    """A version in the list of versions.

    `copy_of` is the version whose words were published anew, with newer parts.
    """

    version: int
    language: str
    status: str
    subject: str
    variables: list[str]
    optional_variables: list[str]
    parts: list[PartShape]
    copy_of: int | None


class FieldChange(msgspec.Struct, frozen=True):
    """A field that differs; `unified` is a unified diff, empty for lists and long texts."""

    field: str
    before: str | list[str]
    after: str | list[str]
    unified: str


class DiffShape(msgspec.Struct, frozen=True):
    """What differs between two versions."""

    from_version: int
    to_version: int
    before: StampShape
    after: StampShape
    changes: list[FieldChange]


class PreviewShape(msgspec.Struct, frozen=True, kw_only=True):
    """What would be sent; where there is a `provider_template`, that alone."""

    type: str
    category: str
    subject: str
    content: str
    html_content: str
    provider_template: ProviderTemplate | None
    version: int
    language: str
    warnings: list[str]
