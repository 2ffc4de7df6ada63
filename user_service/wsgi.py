"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "user_service.settings")

application = get_wsgi_application()

# Only now: its models need the application.
from user_service.erasure.teller import teller  # noqa: E402

teller.start()
