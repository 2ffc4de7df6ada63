"""`manage.py events`: apply delivery events until SIGTERM."""

from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand

from carillon.broker.errors import BrokerUnavailable
from carillon.observability import logging, tracing
from carillon.observability.health import HealthChecks
from carillon.observability.server import OperationsServer
from carillon.settings import Environment
from carillon.web.health import check_database
from gateway.analytics.timer import AnalyticsSettings, RollupTimer
from gateway.callbacks.drainer import CallbackDrainer, CallbackForgetter
from gateway.connections import user_service
from gateway.deliveries.config import EventsSettings
from gateway.deliveries.consumers import EventsConsumer
from gateway.deliveries.dead_devices import DeviceDisabler
from gateway.deliveries.receipts import ReceiptWatcher
from gateway.deliveries.reconciler import Reconciler
from gateway.fallbacks.timer import FallbackSender
from gateway.outbox.termination import on_termination
from gateway.retention.config import RetentionSettings
from gateway.retention.timer import RetentionTimer
from gateway.suppressions.teller import SuppressionTeller

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Runs one events process; several share the queue."""

    help = "Apply delivery events to the database, until SIGTERM."
    # The database may be down when we start: we wait for it.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Returns after SIGTERM or SIGINT, with every event that arrived applied and acked."""
        env = Environment()
        logging.configure("events", env)
        tracing.configure("events", env)
        own = EventsSettings.read(env)
        analytics = AnalyticsSettings.read(env)
        callbacks = settings.GATEWAY.callbacks
        retention = RetentionSettings.read(env)
        consumer = EventsConsumer(settings.GATEWAY.rabbitmq_url, own)
        on_termination(consumer.stop)

        def check_rabbitmq() -> None:
            if not consumer.consuming:
                raise BrokerUnavailable("not consuming")

        health = HealthChecks("events", {"database": check_database, "rabbitmq": check_rabbitmq})
        with (
            OperationsServer(
                host=own.host, port=own.port, health=health, alive=lambda: consumer.alive
            ),
            Reconciler(own.reconcile),
            DeviceDisabler(own.dead_devices_interval, user_service),
            RollupTimer(analytics),
            RetentionTimer(retention),
            SuppressionTeller(),
            ReceiptWatcher(settings.GATEWAY.providers),
            FallbackSender(),
            CallbackDrainer(own.retry_policies, wait_seconds=callbacks.wait_seconds),
            CallbackForgetter(callbacks.replay_seconds, callbacks.wait_seconds),
        ):
            log.info("events started", batch=own.batch, port=own.port)
            consumer.run()
        log.info("events stopped")
