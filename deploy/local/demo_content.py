"""What the demo sends, and to whom."""

from dataclasses import dataclass
from typing import Any

ORGANIZATION = "Demo"
PLAN = "pro"
QUOTA = 50_000  # notifications a month

# The client's own id of the user, by which the demo finds it again.
EXTERNAL_ID = "demo-ada"

USER: dict[str, Any] = {
    "external_id": EXTERNAL_ID,
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    # Ofcom keeps +44 7700 900000 to 900999 for drama: the number is valid and nobody's.
    "phone_number": "+447700900123",
    "push_token": "demo-device-of-ada",
    "preferences": {"email": True, "sms": True, "push": True},
}

VARIABLES = {"name": "Ada", "product": "Carillon"}


@dataclass(frozen=True, slots=True)
class DemoTemplate:
    """A published template, and so one notification."""

    channel: str
    code: str
    body: dict[str, Any]


def _template(channel: str, code: str, name: str, **content: str) -> DemoTemplate:
    body = {
        "code": code,
        "name": name,
        "type": channel,
        "language": "en",
        "status": "active",
        "variables": ["name", "product"],
        "optional_variables": [],
        **content,
    }
    return DemoTemplate(channel, code, body)


TEMPLATES = (
    _template(
        "email",
        "demo_welcome_email",
        "Demo: welcome email",
        subject="Welcome to {{ product }}, {{ name }}!",
        content=(
            "Hi {{ name }},\n\nthis mail went from an API call through the gateway, an outbox, a "
            "queue and a worker into this mailbox.\n\nYours,\n{{ product }}\n"
        ),
        html_content=(
            "<html><body><h1>Hi {{ name }},</h1><p>this mail went from an API call through the "
            "gateway, an outbox, a queue and a worker into this mailbox.</p>"
            "<p>Yours,<br><strong>{{ product }}</strong></p></body></html>"
        ),
    ),
    _template(
        "sms",
        "demo_welcome_sms",
        "Demo: welcome SMS",
        content="Hi {{ name }}, {{ product }} can text you too.",
    ),
    _template(
        "push",
        "demo_welcome_push",
        "Demo: welcome push",
        subject="Hi {{ name }}",
        content="{{ product }} rings this bell as well.",
    ),
)
