"""The push providers: one line each."""

from carillon.worker.main import Registry
from carillon.worker.registry import EVERYWHERE
from push_worker.providers.apns import APNsProvider
from push_worker.providers.fcm import FCMProvider
from push_worker.providers.webpush import WebPushProvider

REGISTRY: Registry = {
    "push": {
        **EVERYWHERE,
        "apns": APNsProvider.from_environment,
        "fcm": FCMProvider.from_environment,
        "webpush": WebPushProvider.from_environment,
    }
}
