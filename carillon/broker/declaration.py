"""Making the topology exist, and saying clearly what stands in its way."""


def declare(url: str, timeout: float = 10.0) -> None:
    """Make every exchange, queue and binding exist; doing it again changes nothing.

    Takes at most `timeout` seconds. Raises TopologyMismatch, after declaring all the rest, where
    something exists with other properties; BrokerUnavailable where the broker cannot be reached.
    Publishers and consumers declare by themselves each time they connect.
    """
    raise NotImplementedError
