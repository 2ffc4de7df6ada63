"""What the calls of this service read from a request beside its body."""

from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.actors import Actor, read_actor
from carillon.contracts.channels import CHANNELS
from carillon.web.envelope import success
from carillon.web.errors import ValidationFailed
from template_service.templates.models import Template, TemplateVersion, VersionStatus
from template_service.templates.presentation import show_template
from template_service.templates.previews import lint
from template_service.templates.selectors import Filters
from template_service.templates.services.changes import etag_of
from template_service.templates.services.publishing import Published

TEXT_MOST = 200
NUMBER_MOST = 2**31 - 1

CALLER_ERRORS = ((401, "authentication_required"), (400, "missing_organization"))
BODY_ERRORS = (
    (400, "invalid_json"),
    (400, "missing_fields"),
    (400, "validation_error"),
    (413, "payload_too_large"),
)


def if_match(request: Request) -> str:
    """The If-Match header, empty where there is none."""
    return str(request.META.get("HTTP_IF_MATCH", "")).strip()


def actor_of(request: Request) -> Actor:
    """Who asks, as far as the gateway said."""
    return read_actor(str(request.META.get("HTTP_X_ACTOR", "")))


def filters_of(request: Request) -> Filters:
    """Raises ValidationFailed."""
    return Filters(
        search=_text(request, "search"),
        type=_choice(request, "type", tuple(CHANNELS)),
        category=_text(request, "category"),
        status=_choice(request, "status", tuple(VersionStatus.values)),
    )


def language_asked(request: Request) -> str:
    """`?language=`, empty where there is none. Raises ValidationFailed."""
    return _text(request, "language")


def number_asked(request: Request, name: str, *, required: bool = False) -> int | None:
    """A version's number in the query. Raises ValidationFailed."""
    text = request.query_params.get(name, "")
    if not text and not required:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:11]) <= NUMBER_MOST):
        raise ValidationFailed(details={name: ["Expected the number of a version, from 1."]})
    return int(text)


def answer_template(template: Template, version: TemplateVersion, message: str) -> Response:
    """The template with its ETag."""
    shown = show_template(template, version)
    return success(shown, message, headers={"ETag": etag_of(template)})


def answer_written(
    template: Template, version: TemplateVersion, message: str, *, status: int = 200
) -> Response:
    """The same with what is wrong with the version, or worth a thought."""
    shown = show_template(template, version, lint=lint(template, version))
    return success(shown, message, status=status, headers={"ETag": etag_of(template)})


def answer_published(published: Published, message: str) -> Response:
    """The same with what has another version of the template in it."""
    template, version = published.template, published.version
    found = lint(template, version)
    shown = show_template(template, version, lint=found, dependents=published.dependents)
    return success(shown, message, headers={"ETag": etag_of(template)})


def _text(request: Request, name: str) -> str:
    text = request.query_params.get(name, "").strip()
    if len(text) > TEXT_MOST or "\x00" in text:
        raise ValidationFailed(details={name: [f"Expected {TEXT_MOST} characters at most."]})
    return text


def _choice(request: Request, name: str, choices: tuple[str, ...]) -> str:
    text = _text(request, name)
    if text and text not in choices:
        raise ValidationFailed(details={name: [f"Expected one of {', '.join(choices)}."]})
    return text
