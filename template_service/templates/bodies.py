"""Request bodies, with the field names of reference 003."""

import re
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from carillon.contracts.channels import CHANNELS
from carillon.contracts.messages import DeliveryPolicy
from carillon.rendering import InvalidSubject, check_subject, is_variable_name
from carillon.rendering.limits import SOURCE_MOST, SUBJECT_MOST
from carillon.web.errors import ValidationFailed
from carillon.web.locales import InvalidLocale, check_timezone, normalize_language
from template_service.templates.models import CATEGORY_LENGTH, CODE_LENGTH, NAME_LENGTH
from template_service.templates.option_bodies import Fallback, Push, WhatsApp

DESCRIPTION_LENGTH = 2_000
VARIABLES_MOST = 200
SAMPLE_BYTES = 65_536
VARIABLE_LENGTH = 100

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

Code: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=CODE_LENGTH,
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*\Z",
        description="Unique within the organization; ASCII letters, digits and _ . - "
        "A template whose code begins with _ is put into others, and never sent.",
        examples=["welcome_email"],
    ),
]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH)]
Description: TypeAlias = Annotated[str, Meta(max_length=DESCRIPTION_LENGTH)]
Type: TypeAlias = Annotated[
    str,
    Meta(max_length=16, description="The channel.", extra_json_schema={"enum": list(CHANNELS)}),
]
Subject: TypeAlias = Annotated[
    str, Meta(max_length=SUBJECT_MOST, description="Of an email; of a push the title.")
]
Source: TypeAlias = Annotated[str, Meta(max_length=SOURCE_MOST)]
MJML: TypeAlias = Annotated[
    str,
    Meta(
        max_length=SOURCE_MOST,
        description="Of an email, in place of html_content, which is made of it when published.",
    ),
]
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
        max_length=CATEGORY_LENGTH,
        pattern=r"^([a-z0-9][a-z0-9_-]*)?\Z",
        description="What people can opt out of; otp and security are urgent.",
        examples=["marketing"],
    ),
]
TrackOpens: TypeAlias = Annotated[
    bool, Meta(description="Of an email's HTML: a picture of ours tells when it was opened.")
]
TrackClicks: TypeAlias = Annotated[
    bool, Meta(description="Of an email's HTML: links lead over us and tell when they were used.")
]
ReceiptSeconds: TypeAlias = Annotated[
    int,
    Meta(
        ge=0,
        le=86_400,
        description="Seconds for the provider's receipt; without one in that time the fallback "
        "sends it, or without a fallback another provider, once. 0 waits for ever.",
    ),
]
SampleData: TypeAlias = Annotated[
    dict[str, Any],
    Meta(description="Variables for previews that give none.", examples=[{"name": "Ann"}]),
]
Number: TypeAlias = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class TemplateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new template with its first version; an active one is published at once."""

    code: Code
    name: Name
    type: Type
    content: Source
    description: Description = ""
    subject: Subject = ""
    html_content: Source = ""
    mjml: MJML = ""
    provider_template: WhatsApp = None
    language: Language = "en"
    status: Literal["draft", "active"] = "draft"
    variables: Variables = []
    optional_variables: Variables = []
    category: Category = ""
    delivery: DeliveryPolicy = DeliveryPolicy.AT_LEAST_ONCE
    track_opens: TrackOpens = False
    track_clicks: TrackClicks = False
    expect_receipt_within: ReceiptSeconds = 0
    fallback: Fallback = None
    push: Push = None
    sample_data: SampleData = {}


class ReplaceBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that a template says; what is left out goes back to its default."""

    name: Name
    content: Source
    description: Description = ""
    subject: Subject = ""
    html_content: Source = ""
    mjml: MJML = ""
    provider_template: WhatsApp = None
    language: Language | UnsetType = UNSET
    variables: Variables = []
    optional_variables: Variables = []
    category: Category = ""
    delivery: DeliveryPolicy = DeliveryPolicy.AT_LEAST_ONCE
    track_opens: TrackOpens = False
    track_clicks: TrackClicks = False
    expect_receipt_within: ReceiptSeconds = 0
    fallback: Fallback = None
    push: Push = None
    sample_data: SampleData = {}


class ChangeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What of a template changes; all else stays."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    subject: Subject | UnsetType = UNSET
    content: Source | UnsetType = UNSET
    html_content: Source | UnsetType = UNSET
    mjml: MJML | UnsetType = UNSET
    provider_template: WhatsApp | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    variables: Variables | UnsetType = UNSET
    optional_variables: Variables | UnsetType = UNSET
    category: Category | UnsetType = UNSET
    delivery: DeliveryPolicy | UnsetType = UNSET
    track_opens: TrackOpens | UnsetType = UNSET
    track_clicks: TrackClicks | UnsetType = UNSET
    expect_receipt_within: ReceiptSeconds | UnsetType = UNSET
    fallback: Fallback | UnsetType = UNSET
    push: Push | UnsetType = UNSET
    sample_data: SampleData | UnsetType = UNSET


class VersionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version, or the one that the call chooses."""

    version: Number | None = None
    republish_dependents: Annotated[
        bool,
        Meta(description="Also publish what has an earlier version of this template in it, anew."),
    ] = False


class ChosenBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A version by its number or its language, or the one that is shown."""

    version: Number | None = None
    language: Language | None = None


class PreviewBody(ChosenBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to render, and with which variables."""

    data: (
        Annotated[
            dict[str, Any],
            Meta(description="The variables; left out, the template's sample_data is taken."),
        ]
        | UnsetType
    ) = UNSET
    timezone: Annotated[
        str,
        Meta(max_length=64, description="IANA; the reader's clock.", examples=["Europe/London"]),
    ] = "UTC"


def check_words(body: TemplateBody | ReplaceBody | ChangeBody) -> str:
    """The language in its usual case, empty where none is named.

    Raises ValidationFailed that names every field that is wrong beyond its type.
    """
    wrong: dict[str, list[str]] = {}
    if isinstance(body, TemplateBody) and body.type not in CHANNELS:
        wrong["type"] = [f"Expected one of {', '.join(CHANNELS)}."]
    if body.name is not UNSET and (_CONTROL.search(body.name) or not body.name.strip()):
        wrong["name"] = ["Expected one line of text."]
    if body.subject is not UNSET:
        _check_subject(body.subject, wrong)
    if body.fallback and body.fallback.channel not in CHANNELS:
        wrong["fallback"] = [f"Expected a channel of {', '.join(CHANNELS)}."]
    if body.mjml and body.html_content:
        wrong["mjml"] = ["Send either mjml or html_content."]
    if body.sample_data is not UNSET and len(msgspec.json.encode(body.sample_data)) > SAMPLE_BYTES:
        wrong["sample_data"] = [f"Expected {SAMPLE_BYTES} bytes of JSON at most."]
    _check_variables(body, wrong)
    language = _language(body.language, wrong)
    if wrong:
        raise ValidationFailed(details=wrong)
    return language


def check_reader(body: PreviewBody) -> str:
    """The language in its usual case, empty where none is named. Raises ValidationFailed."""
    wrong: dict[str, list[str]] = {}
    language = _language(UNSET if body.language is None else body.language, wrong)
    try:
        check_timezone(body.timezone)
    except InvalidLocale as error:
        wrong["timezone"] = [str(error)]
    if wrong:
        raise ValidationFailed(details=wrong)
    return language


def _check_subject(subject: str, wrong: dict[str, list[str]]) -> None:
    try:
        check_subject(subject)
    except InvalidSubject as error:
        wrong["subject"] = [error.message]


def _check_variables(
    body: TemplateBody | ReplaceBody | ChangeBody, wrong: dict[str, list[str]]
) -> None:
    seen: set[str] = set()
    for field in ("variables", "optional_variables"):
        names: list[str] | UnsetType = getattr(body, field)
        for name in [] if names is UNSET else names:
            if name in seen:
                wrong.setdefault(field, []).append(f"{name} is listed twice.")
            elif not is_variable_name(name):
                problem = f"{name!r} is no name: letters, digits and _, a letter first."
                wrong.setdefault(field, []).append(problem)
            seen.add(name)


def _language(tag: str | UnsetType, wrong: dict[str, list[str]]) -> str:
    if tag is UNSET:
        return ""
    try:
        return normalize_language(tag)
    except InvalidLocale as error:
        wrong["language"] = [str(error)]
        return ""
