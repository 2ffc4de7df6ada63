"""RabbitMQ: new enough, with the topology of this release, and somebody to read every queue."""

from collections.abc import Collection, Iterator
from typing import Any

from carillon.broker.declaration import declare
from carillon.broker.errors import TopologyMismatch
from carillon.broker.topology import DEAD_EXCHANGE, EVENTS_QUEUE, Queue, queue_for, queues
from carillon.broker.visit import Visit
from carillon.contracts.channels import CHANNELS
from carillon.contracts.lanes import Lane
from carillon.doctor.findings import Finding, problem, version, warning, well

SUBJECT = "rabbitmq"
LEAST = (3, 10)
MEND = "Is it running, is RABBITMQ_URL its address, and may this user use this virtual host?"
SECONDS = 10.0


def check_rabbitmq(url: str, channels: Collection[str] = CHANNELS) -> Iterator[Finding]:
    """Declares what is missing, as every process does. Raises BrokerUnavailable.

    Whether somebody reads is asked of the queues of these channels, and of the gateway's own
    where they are all of them.
    """
    yield from _topology(url)
    found, counts = look(url)
    yield version(SUBJECT, found, LEAST, "Carillon needs quorum queues of 3.10: upgrade it.")
    resting = {queue.name for queue in queues() if queue.exchange == DEAD_EXCHANGE}
    watched = {queue_for(channel, lane) for channel in channels for lane in Lane}
    if len(channels) == len(CHANNELS):
        watched.add(EVENTS_QUEUE)
    unread = [name for name in watched if not counts[name][1]]
    if unread:
        yield problem(
            SUBJECT,
            f"nobody reads {', '.join(sorted(unread))}",
            "Start the process that serves it: a worker, or `events` for the gateway's own queue.",
        )
    else:
        yield well(SUBJECT, "every queue has a reader")
    for name in sorted(resting):
        messages = counts[name][0]
        if messages:
            yield warning(
                SUBJECT,
                f"{messages} messages that could not be processed rest in {name}",
                "docs/runbook.md says how to look at them and send them again.",
            )


def look(url: str) -> tuple[str, dict[str, tuple[int, int]]]:
    """The version, and of each queue its messages and readers. Raises BrokerUnavailable."""
    counts: dict[str, tuple[int, int]] = {}
    versions: list[str] = []
    left = list(queues())

    def use(connection: Any, visit: Visit) -> None:
        versions.append(_server_version(connection))
        connection.channel(on_open_callback=lambda channel: ask(channel, visit))

    def ask(channel: Any, visit: Visit) -> None:
        if not left:
            visit.succeed()
            return
        queue = left.pop()
        channel.queue_declare(
            queue.name, passive=True, callback=lambda frame: note(channel, visit, queue, frame)
        )

    def note(channel: Any, visit: Visit, queue: Queue, frame: Any) -> None:
        counts[queue.name] = (frame.method.message_count, frame.method.consumer_count)
        ask(channel, visit)

    Visit(url, "doctor", SECONDS).run(use)
    return versions[0], counts


def _topology(url: str) -> Iterator[Finding]:
    try:
        declare(url, SECONDS)
    except TopologyMismatch as mismatch:
        names = ", ".join(each.name for each in mismatch.mismatches)
        yield problem(SUBJECT, f"exists with other properties: {names}", str(mismatch))
    else:
        yield well(SUBJECT, "its exchanges and queues are those of this release")


def _server_version(connection: Any) -> str:
    version = (connection.server_properties or {}).get("version", "unknown")
    return version.decode() if isinstance(version, bytes) else str(version)
