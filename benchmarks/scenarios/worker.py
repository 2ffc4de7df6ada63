"""The email worker, beside Celery and dramatiq with `send_mail`, and beside bare smtplib.

Every side finds its queue full and starts; what counts is when the mails reach the sink, but for
the first tenth of them. Ours checks each job against what was sent before, renders its MIME,
remembers the outcome and publishes a confirmed event; the others send.
"""

import uuid

import msgspec

from benchmarks.harness import broker
from benchmarks.harness.crowd import QUEUE, example_job
from benchmarks.harness.ground import WEB, Ground
from benchmarks.harness.results import Comparison, Result
from benchmarks.harness.rounds import Measured, Side, interleave
from benchmarks.harness.targets import WORKER_TO_CELERY, WORKER_TO_DRAMATIQ, WORKER_TO_SMTPLIB
from carillon.broker import topology
from carillon.contracts import ids
from carillon.contracts.lanes import Lane
from carillon.contracts.messages import DeliveryJob, encode
from deploy.local.child import Command

RATE = "mails a second"
TWO, ONE = "carillon, 2 processes", "carillon, 1 process"
CELERY, DRAMATIQ, SMTPLIB = "Celery, 2 processes", "dramatiq, 2 processes", "smtplib, 1 process"
TIMEOUT = 300.0  # seconds
# Task queues with `send_mail` take a minute for what takes us seconds: their rate is that of fewer.
FEWER = 5


def run(ground: Ground) -> Result:
    """Measure all five."""
    count = ground.scale.messages
    few = count // FEWER
    ground.stack  # noqa: B018  starts it
    ground.only(*WEB, "relay")
    job = example_job(ground)
    # The worker asks the gateway whether the organization has providers of its own.
    ground.only(*WEB)

    def ours(processes: int) -> Measured:
        queue_jobs(ground, job, count)
        before = ground.sink.count
        with ground.process("email_worker", EMAIL_WORKER_PROCESSES=str(processes)):
            rate = ground.sink.rate(before, count, TIMEOUT)
            events = broker.Filling(ground.rabbitmq.url, topology.EVENTS_QUEUE, count)
            events.wait(TIMEOUT)
        broker.purge(ground.rabbitmq.url, topology.EVENTS_QUEUE)
        return {RATE: rate}

    def peer(command: Command, mails: int, *enqueue: str) -> Measured:
        if enqueue:
            ground.run_peer("enqueue", *enqueue, str(mails))
        before = ground.sink.count
        ground.roster.start(command, show=False)
        try:
            return {RATE: ground.sink.rate(before, mails, TIMEOUT)}
        finally:
            ground.roster.stop(command.name)

    celery = ("celery", "-A", "celery_mail", "worker", "--loglevel=WARNING", "--concurrency=2")
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    dramatiq = ("dramatiq", "dramatiq_mail", "--processes=2")
    with_celery = ground.peer_command("celery_worker", "-m", *celery, *quiet)
    with_dramatiq = ground.peer_command("dramatiq_worker", "-m", *dramatiq)
    bare = ground.peer_command("smtplib_loop", "smtplib_loop.py", str(count))
    sides = [
        Side(TWO, lambda: ours(2)),
        Side(CELERY, lambda: peer(with_celery, few, "celery_mail.py")),
        Side(DRAMATIQ, lambda: peer(with_dramatiq, few, "dramatiq_mail.py")),
        Side(ONE, lambda: ours(1)),
        Side(SMTPLIB, lambda: peer(bare, count)),
    ]
    rounds = interleave(sides, ground.scale.rounds, ground.console)
    return Result(
        scenario="worker",
        title=f"Sending {count:,} mails to a server that takes everything",
        rounds=rounds,
        comparisons=(
            Comparison(WORKER_TO_CELERY, (TWO, RATE), (CELERY, RATE)),
            Comparison(WORKER_TO_DRAMATIQ, (TWO, RATE), (DRAMATIQ, RATE)),
            Comparison(WORKER_TO_SMTPLIB, (ONE, RATE), (SMTPLIB, RATE)),
        ),
        notes=(
            f"Celery and dramatiq: {few:,} mails in each round.",
            "Every mail of ours has its confirmed event: that is checked in each round.",
        ),
    )


def queue_jobs(ground: Ground, example: DeliveryJob, count: int) -> None:
    """Fill the email queue with jobs of notifications that nobody has seen before."""
    broker.purge(ground.rabbitmq.url, QUEUE, topology.EVENTS_QUEUE)
    jobs = [
        msgspec.structs.replace(
            example, notification_id=ids.format_id(ids.NOTIFICATION, uuid.uuid4())
        )
        for _ in range(count)
    ]
    route = topology.route_for(example.channel, Lane.NORMAL)
    broker.publish(ground.rabbitmq.url, route, [(job.message_id, encode(job)) for job in jobs])
