"""Parameters, backoff, and errors that can be read and shown."""

import os

import pika  # type: ignore[import-untyped]

from carillon.broker.connection import Backoff, describe, parameters


def test_a_connection_has_a_heartbeat_and_a_name() -> None:
    made = parameters("amqp://user:secret@broker.test:5673/notifications", "relay")
    assert (made.host, made.port, made.virtual_host) == ("broker.test", 5673, "notifications")
    assert 0 < made.heartbeat <= 30
    assert made.blocked_connection_timeout > 0
    name = made.client_properties["connection_name"]
    assert name.startswith("relay@")
    assert name.endswith(f":{os.getpid()}")


def test_a_url_without_a_path_means_the_default_virtual_host() -> None:
    assert parameters("amqp://guest:guest@127.0.0.1:5672", "relay").virtual_host == "/"


def test_delays_double_with_jitter_up_to_a_bound_and_start_over() -> None:
    backoff = Backoff(first=0.1, most=2.0)
    delays = [backoff.next() for _ in range(40)]
    for delay, step in zip(delays, [0.1, 0.2, 0.4, 0.8, 1.6, *[2.0] * 35], strict=True):
        assert step / 2 <= delay <= step
    assert len(set(delays[5:])) > 1, "without jitter every process comes back at once"
    backoff.reset()
    assert backoff.next() <= 0.1


def test_the_innermost_cause_is_what_is_told() -> None:
    refused = ConnectionRefusedError(111, "Connection refused")
    nested = pika.exceptions.AMQPConnectionError(
        pika.adapters.utils.connection_workflow.AMQPConnectionWorkflowFailed(
            [pika.adapters.utils.connection_workflow.AMQPConnectorSocketConnectError(refused)]
        )
    )
    assert describe(nested) == repr(refused)
    assert describe(None) == "None"
