"""`manage.py relay`: publish the outbox to RabbitMQ until SIGTERM."""

from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand

from carillon.broker.errors import BrokerUnavailable
from carillon.broker.publisher import Publisher
from carillon.observability import logging, tracing
from carillon.observability.health import HealthChecks
from carillon.observability.server import OperationsServer
from carillon.settings import Environment
from carillon.web.health import check_database
from gateway.outbox.config import RelaySettings
from gateway.outbox.depth_watch import DepthWatch
from gateway.outbox.services.relay import Relay
from gateway.outbox.services.topology_repair import TopologyRepair
from gateway.outbox.termination import on_termination

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Runs one relay; start several for more throughput or for safety."""

    help = "Publish what is due in the outbox to RabbitMQ, until SIGTERM."
    # The database may be down when we start: we wait for it.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Returns after SIGTERM or SIGINT, with every window in flight settled."""
        env = Environment()
        logging.configure("relay", env)
        tracing.configure("relay", env)
        own = RelaySettings.read(env)
        url = settings.GATEWAY.rabbitmq_url
        publisher = Publisher(url, name="relay")
        relay = Relay(publisher, own, TopologyRepair(url))
        on_termination(relay.stop)

        def check_rabbitmq() -> None:
            if not publisher.connected or publisher.blocked:
                raise BrokerUnavailable(publisher.blocked or "not connected")

        health = HealthChecks("relay", {"database": check_database, "rabbitmq": check_rabbitmq})
        publisher.start()
        try:
            with (
                OperationsServer(
                    host=own.host, port=own.port, health=health, alive=lambda: relay.alive
                ),
                DepthWatch(own.depth_interval),
            ):
                log.info("relay started", window=own.window, port=own.port)
                relay.run()
        finally:
            publisher.close()
        log.info("relay stopped")
