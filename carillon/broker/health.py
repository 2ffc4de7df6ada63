"""A cheap answer to "can RabbitMQ be used?" for health endpoints."""

from carillon.broker.visit import Visit


def check(url: str, timeout: float = 2.0) -> None:
    """Connect, open a channel, disconnect; at most `timeout` seconds, no effect on the broker.

    Raises BrokerUnavailable, whose text holds neither user nor password. A process that has a
    Publisher or Consumer should ask it for `connected` instead: that costs nothing.
    """
    Visit(url, "health", timeout).run(
        lambda connection, visit: connection.channel(on_open_callback=lambda _: visit.succeed())
    )
