"""The push providers: one line each."""

from carillon.worker.main import Registry
from carillon.worker.registry import EVERYWHERE

REGISTRY: Registry = {
    "push": {
        **EVERYWHERE,
    }
}
