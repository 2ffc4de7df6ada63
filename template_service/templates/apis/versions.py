"""Versions: publish, roll back, list, compare, preview, lint."""

from drf_spectacular.utils import extend_schema
from msgspec import UNSET
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.web.bodies import parse_body
from carillon.web.envelope import page_meta, success
from carillon.web.openapi import answer, error_answers, request_body
from carillon.web.organization_api import OrganizationApi, organization_of
from carillon.web.paging import requested_page
from template_service.templates.apis import examples
from template_service.templates.apis.requests import (
    BODY_ERRORS,
    CALLER_ERRORS,
    actor_of,
    answer_published,
    if_match,
    number_asked,
)
from template_service.templates.bodies import ChosenBody, PreviewBody, VersionBody, check_reader
from template_service.templates.presentation import (
    show_diff,
    show_lint,
    show_preview,
    show_version,
)
from template_service.templates.previews import lint, preview
from template_service.templates.selectors import (
    chosen_version,
    find_template,
    version_by_number,
)
from template_service.templates.services.publishing import publish_version, roll_back
from template_service.templates.shapes import (
    DiffShape,
    LintShape,
    PreviewShape,
    TemplateShape,
    VersionShape,
)

_TAGS = ["templates"]
_NUMBER = {"type": "integer", "minimum": 1}
_FOUND = (*CALLER_ERRORS, (404, "template_not_found"), (404, "version_not_found"))
_CHANGED = (*BODY_ERRORS, *_FOUND, (412, "precondition_failed"))
_PUBLISHED = answer(
    TemplateShape,
    "What is sent from now on",
    example=examples.enveloped(examples.PUBLISHED, "Template published"),
)


class TemplatePublishApi(OrganizationApi):
    """A draft goes live."""

    @extend_schema(
        operation_id="publish_template",
        summary="Publish a draft",
        description="Without a version: the newest draft. The version that was published in that "
        "language is archived. The next send already uses it. Refused where a variable is "
        "undeclared, or required and unused, or the syntax is broken. Layouts and partials are put "
        "in as they are published now; `dependents` are the published templates that have an "
        "earlier version of this one in them, and `republish_dependents` publishes those anew: "
        "all of them, or nothing is published.",
        tags=_TAGS,
        parameters=[examples.CODE_PATH, examples.IF_MATCH],
        request=request_body(VersionBody),
        examples=[
            examples.sent("The newest draft", {}),
            examples.sent("That one", {"version": 2}),
            examples.sent("A layout, with what uses it", {"republish_dependents": True}),
        ],
        responses={200: _PUBLISHED, **error_answers(*_CHANGED, (409, "nothing_to_publish"))},
    )
    def post(self, request: Request, code: str) -> Response:
        """The published version."""
        body = parse_body(request, VersionBody)
        published = publish_version(
            organization_of(request),
            code,
            body.version,
            if_match=if_match(request),
            actor=actor_of(request),
            republish=body.republish_dependents,
        )
        return answer_published(published, "Template published")


class TemplateRollbackApi(OrganizationApi):
    """An earlier version goes live again."""

    @extend_schema(
        operation_id="roll_back_template",
        summary="Roll back to a version that was published before",
        description="Without a version: the one published before the current one, in the default "
        "language.",
        tags=_TAGS,
        parameters=[examples.CODE_PATH, examples.IF_MATCH],
        request=request_body(VersionBody),
        examples=[examples.sent("To version 1", {"version": 1})],
        responses={200: _PUBLISHED, **error_answers(*_CHANGED, (409, "nothing_to_roll_back_to"))},
    )
    def post(self, request: Request, code: str) -> Response:
        """The version that is sent again."""
        body = parse_body(request, VersionBody)
        published = roll_back(
            organization_of(request),
            code,
            body.version,
            if_match=if_match(request),
            actor=actor_of(request),
            republish=body.republish_dependents,
        )
        return answer_published(published, "Template rolled back")


class TemplateVersionsApi(OrganizationApi):
    """All versions of a template."""

    @extend_schema(
        operation_id="list_template_versions",
        summary="List a template's versions",
        description="The newest first, in all languages.",
        tags=_TAGS,
        parameters=[
            examples.CODE_PATH,
            examples.query("page", {"type": "integer", "minimum": 1}, "Which page, from 1."),
            examples.query(
                "limit", {"type": "integer", "minimum": 1, "maximum": 100}, "Versions on a page."
            ),
        ],
        responses={
            200: answer(
                list[VersionShape],
                "A page of versions",
                example=examples.enveloped([examples.VERSION], "Versions retrieved", limit=20),
            ),
            **error_answers((400, "validation_error"), *CALLER_ERRORS, (404, "template_not_found")),
        },
    )
    def get(self, request: Request, code: str) -> Response:
        """A page of versions."""
        page = requested_page(request)
        template = find_template(organization_of(request), code)
        versions = template.versions.order_by("-number")
        shown = [show_version(template, version) for version in versions[page.slice]]
        meta = page_meta(total=versions.count(), limit=page.limit, page=page.number)
        return success(shown, "Versions retrieved", meta=meta)


class TemplateDiffApi(OrganizationApi):
    """Two versions side by side."""

    @extend_schema(
        operation_id="diff_template_versions",
        summary="Compare two versions",
        description="Field by field; texts with a unified diff.",
        tags=_TAGS,
        parameters=[
            examples.CODE_PATH,
            examples.query("from", _NUMBER, "The earlier version.", required=True),
            examples.query("to", _NUMBER, "The later version.", required=True),
        ],
        responses={
            200: answer(
                DiffShape,
                "What differs",
                example=examples.enveloped(examples.DIFF, "Versions compared"),
            ),
            **error_answers((400, "validation_error"), *_FOUND),
        },
    )
    def get(self, request: Request, code: str) -> Response:
        """What differs."""
        before = number_asked(request, "from", required=True)
        after = number_asked(request, "to", required=True)
        template = find_template(organization_of(request), code)
        versions = [version_by_number(template, number or 0) for number in (before, after)]
        return success(show_diff(versions[0], versions[1]), "Versions compared")


class TemplatePreviewApi(OrganizationApi):
    """A version rendered with data."""

    @extend_schema(
        operation_id="preview_template",
        summary="Render a version with data; nothing is sent",
        description="Exactly what a send would produce, by the same code.",
        tags=_TAGS,
        parameters=[examples.CODE_PATH],
        request=request_body(PreviewBody),
        examples=[examples.sent("For Ann", {"data": {"name": "Ann"}, "language": "en"})],
        responses={
            200: answer(
                PreviewShape,
                "What would be sent",
                example=examples.enveloped(examples.PREVIEW, "Template rendered"),
            ),
            **error_answers(*BODY_ERRORS, *_FOUND, (400, "missing_variables")),
        },
    )
    def post(self, request: Request, code: str) -> Response:
        """The rendered content."""
        body = parse_body(request, PreviewBody)
        language = check_reader(body)
        template = find_template(organization_of(request), code)
        version = chosen_version(template, number=body.version, language=body.language)
        data = template.sample_data if body.data is UNSET else body.data
        content, warnings = preview(
            template, version, data, language=language, timezone=body.timezone
        )
        return success(show_preview(template, version, content, warnings), "Template rendered")


class TemplateLintApi(OrganizationApi):
    """What is wrong with a version, before it is published."""

    @extend_schema(
        operation_id="lint_template",
        summary="Check a version",
        description="Errors keep it from being published, warnings do not.",
        tags=_TAGS,
        parameters=[examples.CODE_PATH],
        request=request_body(ChosenBody),
        examples=[examples.sent("Version 2", {"version": 2})],
        responses={
            200: answer(
                LintShape,
                "What was found",
                example=examples.enveloped(examples.LINT, "Template checked"),
            ),
            **error_answers(*BODY_ERRORS, *_FOUND),
        },
    )
    def post(self, request: Request, code: str) -> Response:
        """Errors and warnings, with line and column."""
        body = parse_body(request, ChosenBody)
        template = find_template(organization_of(request), code)
        version = chosen_version(template, number=body.version, language=body.language)
        return success(show_lint(version, lint(template, version)), "Template checked")
