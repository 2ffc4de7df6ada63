"""The providers of the text channels: one line each."""

from carillon.worker.main import Registry
from carillon.worker.registry import EVERYWHERE
from sms_worker.providers.meta import MetaProvider
from sms_worker.providers.msg91 import MSG91Provider
from sms_worker.providers.msg91_whatsapp import MSG91WhatsAppProvider
from sms_worker.providers.sns import SNSProvider
from sms_worker.providers.twilio import TwilioSMSProvider
from sms_worker.providers.twilio_whatsapp import TwilioWhatsAppProvider

REGISTRY: Registry = {
    "sms": {
        **EVERYWHERE,
        "msg91": MSG91Provider.from_environment,
        "sns": SNSProvider.from_environment,
        "twilio": TwilioSMSProvider.from_environment,
    },
    "whatsapp": {
        **EVERYWHERE,
        "meta": MetaProvider.from_environment,
        "msg91_whatsapp": MSG91WhatsAppProvider.from_environment,
        "twilio": TwilioWhatsAppProvider.from_environment,
    },
}
