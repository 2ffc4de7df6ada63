"""What a text channel's job says: a text, or a provider's template with what fills it."""

from carillon.contracts.messages import DeliveryJob, ProviderTemplate, TextContent
from carillon.errors import PermanentFailure, Reason


def text_of(job: DeliveryJob, most: int = 0) -> str:
    """The job's text, of at most `most` characters if that is not 0.

    Raises PermanentFailure, also for a template: a provider that can send one asks `template_of`.
    """
    if not isinstance(job.content, TextContent):
        raise PermanentFailure("The content is not a text.", reason=Reason.INVALID_CONTENT)
    if job.content.template is not None or not job.content.body:
        raise PermanentFailure("The content has no text.", reason=Reason.INVALID_CONTENT)
    if most and len(job.content.body) > most:
        raise PermanentFailure("The text is too long.", reason=Reason.PAYLOAD_TOO_LARGE)
    return job.content.body


def template_of(job: DeliveryJob) -> ProviderTemplate | None:
    """The template that the content names; None where it is a text."""
    return job.content.template if isinstance(job.content, TextContent) else None
