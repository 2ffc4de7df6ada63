"""What `make run` shows at its end, in containers: a first notification on each channel."""

import os
import sys

from deploy.local.console import Console
from deploy.local.demo import send_demo
from deploy.local.errors import StackError
from deploy.local.status import places_table


def main() -> int:
    """Send and wait; 0 if all were delivered."""
    console = Console()
    settings = {"GATEWAY_URL": os.environ["GATEWAY_URL"]}
    try:
        delivered = send_demo(settings, console)
    except StackError as error:
        console.line(f"\n{error}", colour="31")
        delivered = False
    console.line("\nWhere to look:")
    for line in places_table(places()):
        console.line(f"  {line}")
    if not delivered:
        console.warn("Why not: docker compose logs gateway relay events email-worker")
    return 0 if delivered else 1


def places() -> dict[str, str]:
    """Addresses on the machine that runs the containers."""
    gateway = _address("GATEWAY_PORT")
    return {
        "Mailbox": _address("MAILBOX_PORT"),
        "Swagger UI": f"{gateway}/api/docs/",
        "ReDoc": f"{gateway}/api/redoc/",
        "Health": f"{gateway}/health/",
        "Metrics": f"{gateway}/metrics",
        "Template service": f"{_address('TEMPLATE_SERVICE_PORT')}/api/docs/",
        "User service": f"{_address('USER_SERVICE_PORT')}/api/docs/",
        "Logs": "docker compose logs --follow",
    }


def _address(setting: str) -> str:
    return f"http://127.0.0.1:{os.environ[setting]}"


if __name__ == "__main__":
    sys.exit(main())
