"""The usual notification service: REST framework, the ORM, Celery, `send_mail`."""

from recipe.celery import app as celery_app

__all__ = ("celery_app",)
