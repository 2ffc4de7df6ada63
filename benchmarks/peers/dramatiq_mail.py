"""A dramatiq worker whose actor is `send_mail`; `dramatiq_mail.py COUNT` queues so many."""

import os
import sys

import dramatiq
from django.conf import settings
from django.core.mail import send_mail
from dramatiq.brokers.rabbitmq import RabbitmqBroker

SUBJECT = "Welcome, Ada!"
BODY = "Hi Ada,\n\nThanks for joining Example!"

settings.configure(EMAIL_HOST="127.0.0.1", EMAIL_PORT=int(os.environ["PEER_SMTP_PORT"]))

dramatiq.set_broker(RabbitmqBroker(url=os.environ["PEER_RABBITMQ_URL"], confirm_delivery=True))


@dramatiq.actor(queue_name="dramatiq_mail")
def send(to: str) -> None:
    """One mail."""
    send_mail(SUBJECT, BODY, "notifications@example.com", [to])


if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        send.send("ada@example.com")
