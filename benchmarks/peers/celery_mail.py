"""A Celery worker whose task is `send_mail`; `celery_mail.py COUNT` queues so many tasks."""

import os
import sys

from celery import Celery
from django.conf import settings
from django.core.mail import send_mail

SUBJECT = "Welcome, Ada!"
BODY = "Hi Ada,\n\nThanks for joining Example!"

settings.configure(EMAIL_HOST="127.0.0.1", EMAIL_PORT=int(os.environ["PEER_SMTP_PORT"]))

app = Celery("celery_mail", broker=os.environ["PEER_RABBITMQ_URL"])
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    task_default_queue="celery_mail",
    task_default_queue_type="quorum",
    broker_transport_options={"confirm_publish": True},
    worker_prefetch_multiplier=50,
)


@app.task
def send(to: str) -> None:
    """One mail."""
    send_mail(SUBJECT, BODY, "notifications@example.com", [to])


if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        send.delay("ada@example.com")
