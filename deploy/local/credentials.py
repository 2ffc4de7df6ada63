"""Secrets and passwords of the local stack: made once, kept in a file of mode 600."""

import secrets
from pathlib import Path

from deploy.local.private_files import read_values, write_values

NAMES = (
    "SECRET_KEY",
    "INTERNAL_API_SECRET",
    "LINK_SECRETS",
    "CREDENTIALS_KEYS",
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "RABBITMQ_PASSWORD",
)
BITS = 256


def new_credentials() -> dict[str, str]:
    """A random value for each name, of characters that need no quoting in a URL or a shell."""
    return {name: secrets.token_hex(BITS // 8) for name in NAMES}


def kept_credentials(path: Path) -> dict[str, str]:
    """Those in the file; what it lacks is made and added. Data is useless without its password."""
    kept = read_values(path)
    complete = new_credentials() | {name: value for name, value in kept.items() if value}
    if complete != kept:
        heading = "Made by the local stack and kept from run to run; `make clean` deletes them."
        write_values(path, complete, heading=heading)
    return complete
