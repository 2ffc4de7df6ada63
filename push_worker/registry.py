"""The push providers: one line each."""

from carillon.worker.main import Registry
from carillon.worker.registry import EVERYWHERE
from push_worker.providers.fcm import FCMProvider

REGISTRY: Registry = {
    "push": {
        **EVERYWHERE,
        "fcm": FCMProvider.from_environment,
    }
}
