"""Examples for the documentation: one template, seen from every call."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from carillon.web.envelope import page_meta

REFERENCE_TEMPLATE = {
    "code": "welcome_email",
    "name": "Welcome Email",
    "description": "Welcome template",
    "type": "email",
    "subject": "Welcome, {{ name }}!",
    "content": "Hi {{ name }},\n\nThanks for joining!\n\nBest regards,\nThe Team",
    "html_content": "<html><body><p>Hi {{ name }},</p><p>Thanks for joining!</p></body></html>",
    "language": "en",
    "status": "active",
    "variables": ["name"],
    "optional_variables": [],
}
SMS_TEMPLATE = {
    "code": "login_otp",
    "name": "Login code",
    "type": "sms",
    "content": "{{ code }} is your code. It is valid for {{ minutes | default(10) }} minutes.",
    "category": "otp",
    "delivery": "at_most_once",
    "variables": ["code"],
    "optional_variables": ["minutes"],
}
PUSH_TEMPLATE = {
    "code": "login_push",
    "name": "Login code on the phone",
    "type": "push",
    "subject": "Your code",
    "content": "{{ code }} is your code.",
    "category": "otp",
    "variables": ["code"],
    "push": {"collapse_key": "login", "ttl": 300, "priority": "high"},
    "fallback": {"channel": "sms", "template_code": "login_otp"},
}
WHATSAPP_TEMPLATE = {
    "code": "order_sent",
    "name": "Order sent",
    "type": "whatsapp",
    "content": "Hi {{ name }}, your order {{ order.id }} is on its way.",
    "provider_template": {
        "name": "order_sent",
        "language": "en_US",
        "parameters": ["{{ name }}", "{{ order.id }}"],
        "buttons": {"0": "orders/{{ order.id }}"},
    },
    "variables": ["name", "order"],
    "expect_receipt_within": 120,
    "fallback": {"channel": "sms", "template_code": "order_sent_sms"},
}
ACTOR = {"id": "key_0193f2c6a7b87d1e9c0a5b4d3e2f1a04", "name": "Marketing site"}
TEMPLATE = {
    "template_id": "tmpl_0193f2c6a7b87d1e9c0a5b4d3e2f1a03",
    **REFERENCE_TEMPLATE,
    "mjml": "",
    "provider_template": None,
    "category": "transactional",
    "delivery": "at_least_once",
    "track_opens": False,
    "track_clicks": False,
    "expect_receipt_within": 0,
    "fallback": None,
    "push": None,
    "default_language": "en",
    "sample_data": {"name": "Ann"},
    "version": 1,
    "created_at": "2026-01-05T09:30:00.123456Z",
    "created_by": ACTOR,
    "updated_at": "2026-01-05T09:30:00.123456Z",
    "published_at": "2026-01-05T09:30:00.123456Z",
    "published_by": ACTOR,
}
CLEAN = {"version": 1, "language": "en", "publishable": True, "errors": [], "warnings": []}
CREATED = {**TEMPLATE, "lint": CLEAN}
DEPENDENT = {
    "code": "receipt",
    "language": "en",
    "version": 3,
    "republished_as": 4,
    "variables_added": [],
}
PUBLISHED = {**CREATED, "dependents": [DEPENDENT]}
DRAFT = {
    **TEMPLATE,
    "version": 2,
    "status": "draft",
    "subject": "Good to see you, {{ name }}!",
    "published_at": None,
    "published_by": None,
    "lint": {**CLEAN, "version": 2},
}
VERSION = {
    key: TEMPLATE[key]
    for key in (
        "version",
        "language",
        "status",
        "subject",
        "variables",
        "optional_variables",
        "created_at",
        "created_by",
        "published_at",
        "published_by",
    )
} | {"parts": [{"code": "_layout", "version": 2, "language": "en"}], "copy_of": None}
STAMP = {key: TEMPLATE[key] for key in ("created_at", "created_by", "published_at", "published_by")}
DIFF = {
    "from_version": 1,
    "to_version": 2,
    "before": STAMP,
    "after": {**STAMP, "published_at": None, "published_by": None},
    "changes": [
        {
            "field": "subject",
            "before": "Welcome, {{ name }}!",
            "after": "Good to see you, {{ name }}!",
            "unified": "--- v1\n+++ v2\n@@ -1 +1 @@\n-Welcome, {{ name }}!\n"
            "+Good to see you, {{ name }}!",
        }
    ],
}
PREVIEW: dict[str, Any] = {
    "type": "email",
    "category": "transactional",
    "subject": "Welcome, Ann!",
    "content": "Hi Ann,\n\nThanks for joining!\n\nBest regards,\nThe Team",
    "html_content": "<html><body><p>Hi Ann,</p><p>Thanks for joining!</p></body></html>",
    "provider_template": None,
    "version": 1,
    "language": "en",
    "warnings": [],
}
LINT = {
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
}
RECORD = {
    "template_id": TEMPLATE["template_id"],
    "code": "welcome_email",
    "type": "email",
    "revision": 7,
    "default_language": "en",
    "languages": {
        "en": {
            "version": 1,
            **{
                key: REFERENCE_TEMPLATE[key]
                for key in (
                    "subject",
                    "content",
                    "html_content",
                    "variables",
                    "optional_variables",
                )
            },
        }
    },
    "category": "transactional",
    "delivery": "at_least_once",
}

CODE_PATH = OpenApiParameter(
    "code", {"type": "string", "maxLength": 100}, OpenApiParameter.PATH, description="The code."
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string"},
    OpenApiParameter.HEADER,
    description="The ETag that you read: 412 if somebody has changed the template since.",
)


def sent(name: str, value: object) -> OpenApiExample:
    """A request body."""
    return OpenApiExample(name, value=value, request_only=True)


def enveloped(data: object, message: str, *, limit: int = 1) -> dict[str, Any]:
    """A whole answer."""
    return {
        "success": True,
        "data": data,
        "message": message,
        "meta": page_meta(total=1, limit=limit, page=1),
    }


def query(
    name: str, schema: dict[str, Any], description: str, *, required: bool = False
) -> OpenApiParameter:
    """A query parameter."""
    return OpenApiParameter(name, schema, description=description, required=required)
