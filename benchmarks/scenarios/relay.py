"""The relay's publishing, beside what pika can publish at all.

Both fill an empty quorum queue with messages of the same size, with confirms. The relay also reads
its rows, locks them, builds each job, and writes that it was published; pika has bytes in its hand.
"""

from benchmarks.harness import broker
from benchmarks.harness.crowd import QUEUE, example_job, fill_outbox
from benchmarks.harness.ground import WEB, Ground
from benchmarks.harness.results import Comparison, Result
from benchmarks.harness.rounds import Measured, Side, interleave
from benchmarks.harness.targets import RELAY_TO_PIKA
from carillon.contracts.messages import encode

RATE = "messages a second"
OURS, PIKA = "carillon's relay", "pika SelectConnection"
CEILING_QUEUE = "ceiling"
WINDOW = 500
TIMEOUT = 300.0  # seconds


def run(ground: Ground) -> Result:
    """Measure both."""
    count = ground.scale.messages
    ground.stack  # noqa: B018  starts it
    ground.only(*WEB, "relay")
    size = len(encode(example_job(ground)))
    broker.make_queue(ground.peers_rabbitmq_url, CEILING_QUEUE)

    def relay() -> Measured:
        ground.only(*WEB)
        broker.purge(ground.rabbitmq.url, QUEUE)
        fill_outbox(ground, count)
        ground.only(*WEB, "relay")
        rate = broker.Filling(ground.rabbitmq.url, QUEUE, count).rate(TIMEOUT)
        broker.purge(ground.rabbitmq.url, QUEUE)
        return {RATE: rate}

    def pika() -> Measured:
        ground.only(*WEB)
        url = ground.peers_rabbitmq_url
        arguments = (CEILING_QUEUE, str(count), str(size), str(WINDOW))
        with ground.peer("pika_publish", "pika_publish.py", *arguments):
            rate = broker.Filling(url, CEILING_QUEUE, count).rate(TIMEOUT)
        broker.purge(url, CEILING_QUEUE)
        return {RATE: rate}

    rounds = interleave([Side(OURS, relay), Side(PIKA, pika)], ground.scale.rounds, ground.console)
    return Result(
        scenario="relay",
        title=f"Publishing {count:,} jobs of {size} bytes to a quorum queue, with confirms",
        rounds=rounds,
        comparisons=(Comparison(RELAY_TO_PIKA, (OURS, RATE), (PIKA, RATE)),),
        notes=(f"pika: one connection, persistent messages, {WINDOW} of them unconfirmed.",),
    )
