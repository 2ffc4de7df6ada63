"""The Celery application."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recipe.settings")
app = Celery("recipe")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["recipe"])
