"""What the three `manage.py` files do. Imports nothing but the standard library until it must."""

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def main(service: str) -> None:
    """Run Django's command line for `service`.

    Without an activated virtual environment it goes on inside the project's own.
    """
    own_python = ROOT / ".venv" / "bin" / "python"
    if importlib.util.find_spec("django") is None:
        if not own_python.exists() or Path(sys.prefix) == ROOT / ".venv":
            sys.exit(
                "Django is not installed here. Run `make run` (or `make install`) in "
                f"{ROOT} first: it makes the virtual environment {own_python.parent.parent}."
            )
        os.execv(own_python, [str(own_python), *sys.argv])  # noqa: S606
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"{service}.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
