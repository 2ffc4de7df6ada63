"""`/api/v1/templates/`: list, create, fetch, replace, change, archive."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.channels import CHANNELS
from carillon.web.bodies import parse_body
from carillon.web.envelope import page_meta, success
from carillon.web.openapi import answer, error_answers, request_body
from carillon.web.organization_api import OrganizationApi, organization_of
from carillon.web.paging import LIMIT_DEFAULT, LIMIT_MOST, requested_page
from template_service.templates.apis import examples
from template_service.templates.apis.requests import (
    BODY_ERRORS,
    CALLER_ERRORS,
    actor_of,
    answer_template,
    answer_written,
    filters_of,
    if_match,
    language_asked,
    number_asked,
)
from template_service.templates.bodies import ChangeBody, ReplaceBody, TemplateBody
from template_service.templates.models import VersionStatus
from template_service.templates.presentation import show_template
from template_service.templates.selectors import (
    chosen_version,
    find_template,
    list_templates,
    shown_version,
    shown_versions,
)
from template_service.templates.services.drafting import (
    change_template,
    create_template,
    replace_template,
)
from template_service.templates.services.publishing import archive_template
from template_service.templates.shapes import TemplateShape

_TAGS = ["templates"]
_FOUND = (*CALLER_ERRORS, (404, "template_not_found"))
_CHANGED = (*BODY_ERRORS, *_FOUND, (412, "precondition_failed"))
_DRAFT = answer(
    TemplateShape,
    "The template with its new draft",
    example=examples.enveloped(examples.DRAFT, "Template updated"),
)


class TemplateListCreateApi(OrganizationApi):
    """All templates of the organization, and new ones."""

    @extend_schema(
        operation_id="list_templates",
        summary="List and search templates",
        description="By code. Each with its published version in the default language, or its "
        "newest draft where nothing is published.",
        tags=_TAGS,
        parameters=[
            examples.query(
                "search", {"type": "string"}, "Part of a code, a name or a description."
            ),
            examples.query("type", {"type": "string", "enum": list(CHANNELS)}, "The channel."),
            examples.query("category", {"type": "string"}, "The category."),
            examples.query(
                "status", {"type": "string", "enum": VersionStatus.values}, "The status."
            ),
            examples.query(
                "page", {"type": "integer", "minimum": 1, "default": 1}, "Which page, from 1."
            ),
            examples.query(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": LIMIT_MOST, "default": LIMIT_DEFAULT},
                "Templates on a page.",
            ),
        ],
        responses={
            200: answer(
                list[TemplateShape],
                "A page of templates",
                example=examples.enveloped([examples.TEMPLATE], "Templates retrieved", limit=20),
            ),
            **error_answers((400, "validation_error"), *CALLER_ERRORS),
        },
    )
    def get(self, request: Request) -> Response:
        """A page of templates."""
        page = requested_page(request)
        found = list_templates(organization_of(request), filters_of(request))
        templates = list(found[page.slice])
        versions = shown_versions(templates)
        shown = [show_template(template, versions[template.id]) for template in templates]
        meta = page_meta(total=found.count(), limit=page.limit, page=page.number)
        return success(shown, "Templates retrieved", meta=meta)

    @extend_schema(
        operation_id="create_template",
        summary="Create a template",
        description="With its first version: a draft, or published at once with `status` active. "
        "The code is unique within the organization.",
        tags=_TAGS,
        request=request_body(TemplateBody),
        examples=[
            examples.sent("An email", examples.REFERENCE_TEMPLATE),
            examples.sent("A one-time password by SMS", examples.SMS_TEMPLATE),
            examples.sent("A push that falls back on that SMS", examples.PUSH_TEMPLATE),
            examples.sent("A template that WhatsApp approved", examples.WHATSAPP_TEMPLATE),
        ],
        responses={
            201: answer(
                TemplateShape,
                "The template was created",
                example=examples.enveloped(examples.CREATED, "Template created"),
            ),
            **error_answers(
                *BODY_ERRORS,
                *CALLER_ERRORS,
                (404, "organization_not_found"),
                (409, "template_exists"),
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """A new template."""
        body = parse_body(request, TemplateBody)
        template, version = create_template(organization_of(request), body, actor=actor_of(request))
        return answer_written(template, version, "Template created", status=201)


class TemplateDetailApi(OrganizationApi):
    """One template."""

    @extend_schema(
        operation_id="get_template",
        summary="Fetch a template",
        description="With the version of that number; or what would be sent in `language` "
        "(pt-BR falls back to pt, then to the default language); or what is published in the "
        "default language.",
        tags=_TAGS,
        parameters=[
            examples.CODE_PATH,
            examples.query("language", {"type": "string", "example": "pt-BR"}, "A BCP 47 tag."),
            examples.query("version", {"type": "integer", "minimum": 1}, "A version's number."),
        ],
        responses={
            200: answer(
                TemplateShape,
                "The template",
                example=examples.enveloped(examples.TEMPLATE, "Template retrieved"),
            ),
            **error_answers((400, "validation_error"), *_FOUND, (404, "version_not_found")),
        },
    )
    def get(self, request: Request, code: str) -> Response:
        """The template with a version."""
        number, language = number_asked(request, "version"), language_asked(request)
        template = find_template(organization_of(request), code)
        version = chosen_version(template, number=number, language=language)
        return answer_template(template, version, "Template retrieved")

    @extend_schema(
        operation_id="replace_template",
        summary="Replace a template's words with a new draft",
        description="What is left out goes back to its default. What is published stays so until "
        "the draft is published.",
        tags=_TAGS,
        parameters=[examples.CODE_PATH, examples.IF_MATCH],
        request=request_body(ReplaceBody),
        examples=[
            examples.sent(
                "New words",
                {
                    "name": "Welcome Email",
                    "subject": "Good to see you, {{ name }}!",
                    "content": "Hi {{ name }}!",
                    "variables": ["name"],
                },
            )
        ],
        responses={200: _DRAFT, **error_answers(*_CHANGED)},
    )
    def put(self, request: Request, code: str) -> Response:
        """The new draft."""
        body = parse_body(request, ReplaceBody)
        template, version = replace_template(
            organization_of(request),
            code,
            body,
            if_match=if_match(request),
            actor=actor_of(request),
        )
        return answer_written(template, version, "Template updated")

    @extend_schema(
        operation_id="update_template",
        summary="Change a template",
        description="Words that are named become a new draft, on top of the newest version of "
        "that language. Name, description, category, delivery, tracking, expect_receipt_within, "
        "fallback and push belong to the template and change at once.",
        tags=_TAGS,
        parameters=[examples.CODE_PATH, examples.IF_MATCH],
        request=request_body(ChangeBody),
        examples=[
            examples.sent("A new subject", {"subject": "Good to see you, {{ name }}!"}),
            examples.sent(
                "An SMS where no receipt comes within two minutes",
                {
                    "expect_receipt_within": 120,
                    "fallback": {"channel": "sms", "template_code": "welcome_sms"},
                },
            ),
            examples.sent(
                "In another language",
                {"language": "pt", "subject": "Bem-vindo, {{ name }}!", "content": "Oi {{ name }}"},
            ),
        ],
        responses={200: _DRAFT, **error_answers(*_CHANGED)},
    )
    def patch(self, request: Request, code: str) -> Response:
        """The new draft."""
        body = parse_body(request, ChangeBody)
        template, version = change_template(
            organization_of(request),
            code,
            body,
            if_match=if_match(request),
            actor=actor_of(request),
        )
        return answer_written(template, version, "Template updated")

    @extend_schema(
        operation_id="archive_template",
        summary="Archive a template",
        description="It is kept and shown, but no longer sent. Publishing brings it back.",
        tags=_TAGS,
        parameters=[examples.CODE_PATH, examples.IF_MATCH],
        responses={
            200: answer(
                TemplateShape,
                "The archived template",
                example=examples.enveloped(
                    {**examples.TEMPLATE, "status": "archived"}, "Template archived"
                ),
            ),
            **error_answers(*_FOUND, (412, "precondition_failed")),
        },
    )
    def delete(self, request: Request, code: str) -> Response:
        """The template, archived."""
        template = archive_template(organization_of(request), code, if_match=if_match(request))
        return answer_template(template, shown_version(template), "Template archived")
