"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")

application = get_wsgi_application()

# Every view and its description are made when the routes are first looked at: half a second that
# no request should wait for.
get_resolver().url_patterns  # noqa: B018
