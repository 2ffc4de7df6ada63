#!/usr/bin/env python3
"""Django's command line for this service: `python manage.py help`."""

import sys
from pathlib import Path

# The repository's root in place of this folder: packages are imported as `gateway.…`.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from carillon.web.command_line import main

if __name__ == "__main__":
    main("gateway")
