"""The email providers: one line each."""

from carillon.worker.main import Registry
from carillon.worker.registry import EVERYWHERE
from email_worker.providers import anymail
from email_worker.providers.sendgrid import SendGridProvider
from email_worker.providers.ses import SESProvider
from email_worker.providers.smtp import SMTPProvider

REGISTRY: Registry = {
    "email": {
        **EVERYWHERE,
        **anymail.factories(),
        "sendgrid": SendGridProvider.from_environment,
        "ses": SESProvider.from_environment,
        "smtp": SMTPProvider.from_environment,
    }
}
