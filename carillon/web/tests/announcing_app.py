"""A WSGI program of which each process says that it has come so far as to load it."""

import os
import sys
from wsgiref.simple_server import demo_app as application

__all__ = ["application"]

print("loaded in", os.getpid(), file=sys.stderr, flush=True)  # noqa: T201
