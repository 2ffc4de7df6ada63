"""What of the template service is public."""

from gateway.forwarding.operations import Operation, templates

_TEMPLATE = {
    "template_id": "tmpl_0193f2c6a7b87d1e9c0a5b4d3e2f1a03",
    "code": "welcome_email",
    "name": "Welcome email",
    "description": "Sent after sign-up",
    "type": "email",
    "category": "transactional",
    "delivery": "at_least_once",
    "subject": "Welcome, {{ name }}!",
    "content": "Hi {{ name }},\n\nThanks for joining!\n\nThe team",
    "html_content": "<p>Hi {{ name }},</p><p>Thanks for joining!</p>",
    "default_language": "en",
    "languages": ["en"],
    "language": "en",
    "status": "active",
    "version": 1,
    "variables": ["name"],
    "optional_variables": [],
    "created_at": "2026-01-05T09:30:00.123456Z",
    "updated_at": "2026-01-05T09:30:00.123456Z",
    "published_at": "2026-01-05T09:30:00.123456Z",
}
_NEW = {
    name: _TEMPLATE[name]
    for name in (
        "code",
        "name",
        "description",
        "type",
        "subject",
        "content",
        "html_content",
        "language",
        "status",
        "variables",
        "optional_variables",
    )
}
_DRAFT = {
    **_TEMPLATE,
    "version": 2,
    "status": "draft",
    "subject": "Hello, {{ name }}!",
    "published_at": None,
}
_VERSION = {
    "version": 1,
    "language": "en",
    "status": "active",
    "created_at": "2026-01-05T09:30:00.123456Z",
    "published_at": "2026-01-05T09:30:00.123456Z",
}
_PAGING = {"page": "From 1.", "limit": "At most 100 on a page."}

_CODE = ("welcome_email", "The template's code.")
_NOT_FOUND = (404, "template_not_found", "This organization has no such template.")
_EXISTS = (409, "template_exists", "Another template of this organization has this code.")
_INVALID = (400, "validation_error", "The request has invalid values.")
_BROKEN = (400, "template_invalid", "content line 1, column 7: an unknown tag.")
_ARCHIVED = (409, "template_archived", "This template is archived.")
_NO_VERSION = (404, "version_not_found", "This template has no such version.")
_NO_DRAFT = (409, "nothing_to_publish", "This template has no draft. Name the version to publish.")
_CHANGED = (412, "precondition_failed", "The template was changed meanwhile.")
_VARIABLES = (400, "missing_variables", "Missing variables: name.")
_MISSING = (400, "missing_fields", "Required fields are missing.")

RESOURCES = (
    templates(
        "",
        Operation(
            "GET",
            "list_templates",
            "List templates",
            [_TEMPLATE],
            query={
                "search": "Part of a code, a name or a description.",
                "type": "The channel.",
                "category": "The category.",
                "status": "draft, active or archived.",
                **_PAGING,
            },
            message="Templates retrieved",
            errors=(_INVALID,),
        ),
        Operation(
            "POST",
            "create_template",
            "Create a template: its first version, as a draft or active",
            _TEMPLATE,
            body=_NEW,
            status=201,
            message="Template created",
            errors=(_MISSING, _INVALID, _BROKEN, _EXISTS),
        ),
    ),
    templates(
        "<str:code>/",
        Operation(
            "GET",
            "get_template",
            "Fetch a template",
            _TEMPLATE,
            query={
                "language": "BCP 47; falls back pt-BR, pt, the template's default.",
                "version": "Default: the published one.",
            },
            message="Template retrieved",
            errors=(_NOT_FOUND,),
        ),
        Operation(
            "PUT",
            "replace_template",
            "Replace a template: makes a new draft",
            _DRAFT,
            body={**_NEW, "subject": "Hello, {{ name }}!", "status": "draft"},
            message="Template updated",
            errors=(_MISSING, _INVALID, _BROKEN, _NOT_FOUND, _ARCHIVED, _CHANGED),
            if_match=True,
        ),
        Operation(
            "PATCH",
            "update_template",
            "Change a template: makes a new draft",
            _DRAFT,
            body={"subject": "Hello, {{ name }}!"},
            message="Template updated",
            errors=(_INVALID, _BROKEN, _NOT_FOUND, _ARCHIVED, _CHANGED),
            if_match=True,
        ),
        Operation(
            "DELETE",
            "archive_template",
            "Archive a template",
            {**_TEMPLATE, "status": "archived"},
            message="Template archived",
            errors=(_NOT_FOUND,),
        ),
        code=_CODE,
    ),
    templates(
        "<str:code>/publish/",
        Operation(
            "POST",
            "publish_template",
            "Publish a version; default: the newest draft",
            {**_DRAFT, "status": "active"},
            body={"version": 2},
            message="Template published",
            errors=(_INVALID, _BROKEN, _NOT_FOUND, _NO_VERSION, _NO_DRAFT, _CHANGED),
            if_match=True,
        ),
        code=_CODE,
    ),
    templates(
        "<str:code>/rollback/",
        Operation(
            "POST",
            "roll_back_template",
            "Publish an earlier version again",
            _TEMPLATE,
            body={"version": 1},
            message="Template rolled back",
            errors=(_MISSING, _INVALID, _NOT_FOUND, _NO_VERSION, _CHANGED),
            if_match=True,
        ),
        code=_CODE,
    ),
    templates(
        "<str:code>/versions/",
        Operation(
            "GET",
            "list_template_versions",
            "List a template's versions",
            [_VERSION],
            query=_PAGING,
            message="Versions retrieved",
            errors=(_NOT_FOUND,),
        ),
        code=_CODE,
    ),
    templates(
        "<str:code>/diff/",
        Operation(
            "GET",
            "compare_template_versions",
            "Compare two versions",
            {
                "from": 1,
                "to": 2,
                "changes": [
                    {
                        "field": "subject",
                        "before": "Welcome, {{ name }}!",
                        "after": "Hello, {{ name }}!",
                        "diff": "-Welcome, {{ name }}!\n+Hello, {{ name }}!",
                    }
                ],
            },
            query={"from": "The earlier version.", "to": "The later one."},
            message="Versions compared",
            errors=(_INVALID, _NOT_FOUND, _NO_VERSION),
        ),
        code=_CODE,
    ),
    templates(
        "<str:code>/preview/",
        Operation(
            "POST",
            "preview_template",
            "Render a template with data; nothing is sent",
            {
                "version": 1,
                "language": "en",
                "subject": "Welcome, Jane!",
                "content": "Hi Jane,\n\nThanks for joining!\n\nThe team",
                "html_content": "<p>Hi Jane,</p><p>Thanks for joining!</p>",
                "warnings": [],
            },
            body={"data": {"name": "Jane"}, "language": "en", "version": 1},
            message="Template rendered",
            errors=(_INVALID, _VARIABLES, _NOT_FOUND, _NO_VERSION),
        ),
        code=_CODE,
    ),
    templates(
        "<str:code>/lint/",
        Operation(
            "POST",
            "lint_template",
            "Find mistakes in a template",
            {
                "version": 2,
                "language": "en",
                "publishable": False,
                "errors": [
                    {
                        "code": "undeclared_variable",
                        "message": "nmae is in neither variables nor optional_variables.",
                        "field": "content",
                        "line": 1,
                        "column": 7,
                    }
                ],
                "warnings": [],
            },
            body={"version": 2},
            message="Template checked",
            errors=(_NOT_FOUND,),
        ),
        code=_CODE,
    ),
)
