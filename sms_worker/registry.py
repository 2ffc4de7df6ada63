"""The providers of the text channels: one line each."""

from carillon.worker.main import Registry
from carillon.worker.registry import EVERYWHERE

REGISTRY: Registry = {
    "sms": {
        **EVERYWHERE,
    },
    "whatsapp": {
        **EVERYWHERE,
    },
}
