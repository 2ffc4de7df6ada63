"""The email providers: one line each."""

from carillon.worker.main import Registry
from carillon.worker.registry import EVERYWHERE
from email_worker.providers.smtp import SMTPProvider

REGISTRY: Registry = {
    "email": {
        **EVERYWHERE,
        "smtp": SMTPProvider.from_environment,
    }
}
