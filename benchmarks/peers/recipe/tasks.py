"""Sending, in Celery's worker."""

from smtplib import SMTPException
from typing import Any

from celery import shared_task
from django.core.mail import send_mail
from django.template import Context, Engine
from django.utils import timezone

from recipe.models import Notification

_engine = Engine(autoescape=False)


@shared_task(bind=True, max_retries=3)
def send_notification(self: Any, notification_id: str) -> None:
    """Render and send one notification; tried again after a failure, with a growing pause."""
    notification = Notification.objects.select_related("template").get(pk=notification_id)
    notification.status = "processing"
    notification.save(update_fields=["status", "updated_at"])
    template, context = notification.template, Context(notification.data)
    subject = _engine.from_string(template.subject).render(context)
    body = _engine.from_string(template.body).render(context)
    try:
        accepted = send_mail(subject, body, None, [notification.to])
    except (SMTPException, OSError) as error:
        raise self.retry(exc=error, countdown=2**self.request.retries) from error
    notification.status = "sent"
    notification.provider_response = {"accepted": accepted}
    notification.sent_at = timezone.now()
    notification.save(update_fields=["status", "provider_response", "sent_at", "updated_at"])
