"""The topology is the one that the design names, and no letter can get lost in it."""

from carillon.broker import topology
from carillon.broker.messages import Route
from carillon.contracts.channels import CHANNELS
from carillon.contracts.lanes import Lane


def test_the_names_are_those_of_the_design() -> None:
    assert [topology.queue_for("email", lane) for lane in Lane] == [
        "email.high.queue", "email.queue", "email.bulk.queue"
    ]  # fmt: skip
    assert topology.dead_queue_for("whatsapp") == "whatsapp.dead.queue"
    assert topology.EVENTS_QUEUE == "gateway.events.queue"
    assert topology.DELIVERY_EXCHANGE == "carillon.delivery"
    assert topology.EVENTS_EXCHANGE == "carillon.events"
    assert topology.DEAD_EXCHANGE == "carillon.dead"


def test_every_channel_and_lane_has_a_queue_of_its_own_at_its_route() -> None:
    by_route = {(queue.exchange, queue.routing_key): queue.name for queue in topology.queues()}
    pairs = [(channel, lane) for channel in CHANNELS for lane in Lane]
    reached = {pair: by_route[tuple_of(topology.route_for(*pair))] for pair in pairs}
    assert reached == {pair: topology.queue_for(*pair) for pair in pairs}
    assert len(set(reached.values())) == len(pairs)
    assert by_route[tuple_of(topology.EVENTS_ROUTE)] == topology.EVENTS_QUEUE


def test_every_letter_has_a_queue_that_takes_it_and_is_declared_before() -> None:
    declared: set[tuple[str, str]] = set()
    for queue in topology.queues():
        declared.add((queue.exchange, queue.routing_key))
        target = queue.arguments.get("x-dead-letter-exchange")
        if target is not None:
            key = queue.arguments["x-dead-letter-routing-key"]
            assert (str(target), str(key)) in declared, queue.name
            assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"
            # RabbitMQ falls back to at-most-once without this.
            assert queue.arguments["x-overflow"] == "reject-publish"
        else:
            assert queue.exchange == topology.DEAD_EXCHANGE, f"{queue.name} loses its letters"


def test_exchanges_are_declared_before_the_queues_that_are_bound_to_them() -> None:
    known: set[str] = set()
    for piece in topology.pieces():
        if isinstance(piece, topology.Exchange):
            known.add(piece.name)
        else:
            assert piece.exchange in known
            assert piece.arguments["x-queue-type"] == "quorum"


def tuple_of(route: Route) -> tuple[str, str]:
    return route.exchange, route.routing_key
