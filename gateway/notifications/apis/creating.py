"""How the documentation tells of sending a notification."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from carillon.contracts.status import Status
from gateway.admission.errors import QuotaExceeded, RequestIDConflict, RequestInProgress
from gateway.documentation import body_refusals, caller_refusals, refusals, sent, shown
from gateway.notifications import errors
from gateway.notifications.apis import create, examples
from gateway.notifications.apis.request_ids import IDEMPOTENCY_HEADER
from gateway.notifications.plan_shapes import PlanShape
from gateway.notifications.shapes import AcceptedShape

DESCRIPTION = (
    "Answers 202 once the notification is stored and will be sent, whatever fails afterwards. "
    "Send `user_id` or `to`, and `template_code` with `variables` or `content`. A repeat of a "
    "`request_id` (or `Idempotency-Key` header) with the same body answers 200 with the first "
    "notification and never sends twice.\n\n"
    "What must not be sent is stored as `rejected`, costs no quota, and has a `reason`: "
    "`suppressed` (the address bounced, complained, or was listed), `user_opted_out` (the user, "
    "or the organization's default, switched the channel or the category off), `quiet_hours` (it "
    "expires before they end), `frequency_capped` (the category has reached the recipient often "
    "enough). What falls into the user's quiet hours is `scheduled` for their end, with the reason "
    "`quiet_hours`. What is essential passes all of these but a suppression.\n\n"
    "With `dry_run` nothing is stored, sent or counted: the answer is 200 with the plan, and it "
    "names every reason not to send, not only the first."
)
PARAMETERS = [
    OpenApiParameter(
        IDEMPOTENCY_HEADER,
        str,
        OpenApiParameter.HEADER,
        description="The same as `request_id`, in the header of the IETF draft.",
    )
]
DRY_RUN = {
    "notification_type": "sms",
    "user_id": "customer-4711",
    "template_code": "new_arrivals",
    "variables": {"name": "Jane"},
    "dry_run": True,
}
EXAMPLES = [
    sent("An email from a template", examples.FROM_TEMPLATE),
    sent("An email with files", examples.WITH_FILE),
    sent("An SMS to a number", examples.DIRECT_SMS),
    sent("A push notification later", examples.SCHEDULED_PUSH),
    sent("A push of a template, delivered its own way", examples.PUSH_OF_TEMPLATE),
    sent("An email, and an SMS where it does not arrive", examples.WITH_FALLBACK),
    sent("Another template that WhatsApp approved", examples.WHATSAPP_OF_TEMPLATE),
    sent("Only a plan", DRY_RUN),
]
PLAN: dict[str, Any] = {
    "status": "scheduled",
    "reason": "quiet_hours",
    "refusals": [],
    "send_at": "2030-02-01T07:00:00Z",
    "expires_at": None,
    "notification_type": "sms",
    "user_id": "user_0193f2c6a7b87d1e9c0a5b4d3e2f1a01",
    "recipients": ["+44***23"],
    "template_code": "new_arrivals",
    "template_version": 3,
    "language": "en",
    "content": {"kind": "text", "body": "Jane, the winter shoes have arrived."},
    "category": "marketing",
    "is_essential": False,
    "lane": "normal",
    "priority": 5,
    "delivery": "at_least_once",
    "providers": ["twilio", "msg91"],
    "stand_ins": [],
    "sms": {"encoding": "GSM-7", "units": 36, "segments": 1, "forced_by": None},
    "fallback": None,
    "quota": {"limit": 100000, "used": 4711, "remaining": 95289},
    "limits": [
        {"policy": "minute", "limit": 6000, "seconds": 60, "remaining": 5999},
        {"policy": "recipient", "limit": 10, "seconds": 60, "remaining": 10},
        {"policy": "category", "limit": 2, "seconds": 86400, "remaining": 1},
    ],
}
REFUSED_PLAN = {
    **PLAN,
    "status": "rejected",
    "reason": "user_opted_out",
    "refusals": [
        {
            "error": "user_opted_out",
            "message": "The user switched off: the category 'marketing' on sms.",
            "http_status": 202,
            "details": {},
        },
        {
            "error": "quota_exceeded",
            "message": "The monthly quota of 100000 notifications is used up.",
            "http_status": 429,
            "details": {},
        },
    ],
    "send_at": None,
    "quota": {"limit": 100000, "used": 100000, "remaining": 0},
}
_PUT_OFF = {**examples.ACCEPTED, "status": Status.SCHEDULED.value, "reason": "quiet_hours"}


def _several(description: str, *answers: OpenApiResponse) -> OpenApiResponse:
    schemas: list[Any] = []
    for each in answers:
        if each.response not in schemas:
            schemas.append(each.response)
    return OpenApiResponse(
        {"oneOf": schemas} if len(schemas) > 1 else schemas[0],
        description,
        examples=[example for each in answers for example in each.examples],
    )


ANSWERS = {
    202: _several(
        "It is stored: it will be sent now or later, or its reason says why not",
        shown(AcceptedShape, "It will be sent", examples.ACCEPTED, create.ACCEPTED),
        shown(AcceptedShape, "It will be sent after quiet hours", _PUT_OFF, create.SCHEDULED),
        shown(AcceptedShape, "It will not be sent", examples.REJECTED, create.REJECTED),
    ),
    200: _several(
        "This request_id was answered before, or it is a dry run",
        shown(AcceptedShape, "Answered before", examples.ACCEPTED, create.REPLAYED),
        shown(PlanShape, "A plan", PLAN, create.PLANNED),
        shown(PlanShape, "A plan of what must not be sent", REFUSED_PLAN, create.PLANNED),
    ),
    **refusals(
        *caller_refusals("send"),
        *body_refusals("notification_type", {"priority": ["Expected a whole number <= 10."]}),
        RequestInProgress(),
        RequestIDConflict(),
        errors.TemplateNotFound("welcome_email"),
        errors.TemplateTypeMismatch("sms", "email"),
        errors.MissingVariables(["name"]),
        errors.UserNotFound("customer-4711"),
        errors.NoAddress("email address"),
        QuotaExceeded(1_000, 86_400),
        errors.UserServiceUnavailable(),
        errors.TemplateServiceUnavailable(),
    ),
}
