"""The promises, and how each is put to the test."""

from tests.end_to_end.faults import crashes, limits, orders, outages
from tests.end_to_end.faults.provider import Mood
from tests.end_to_end.faults.scenario import (
    IN_PROGRESS,
    NO_ANSWER,
    QUOTA_EXCEEDED,
    UNAVAILABLE,
    Scale,
    Scenario,
    during_the_kills,
    during_the_outage,
    during_the_roll_out,
    during_the_stops,
    one_per_call,
    one_per_thread,
)

# After a crash the gateway does not know whether the first request still goes on.
AFTER_A_CRASH = frozenset({NO_ANSWER, IN_PROGRESS})
NO_DATABASE = frozenset({UNAVAILABLE, IN_PROGRESS})

SCENARIOS = (
    # Processes.
    Scenario(
        name="gateway-killed", promise="202 is durable", injected="kill -9 gateway",
        inject=crashes.kill("gateway"), refusals=AFTER_A_CRASH, lasts=during_the_kills,
    ),
    Scenario(
        name="relay-killed", promise="202 is durable", injected="kill -9 relay",
        inject=crashes.kill("relay"), short=False, lasts=during_the_kills,
    ),
    Scenario(
        name="one-relay-killed", promise="relays share the work",
        injected="kill -9 1 of 2 relays", inject=crashes.kill("relay"),
        beside=("relay",), lasts=during_the_kills,
    ),
    Scenario(
        name="events-killed", promise="no outcome is lost", injected="kill -9 events",
        inject=crashes.kill("events"), lasts=during_the_kills,
    ),
    Scenario(
        name="worker-killed", promise="duplicates are flagged",
        injected="kill -9 a busy worker", inject=crashes.kill_busy("email_worker"),
        duplicates=one_per_call, lasts=during_the_kills,
    ),
    Scenario(
        name="worker-killed-once", promise="at_most_once sends once",
        injected="kill -9 a busy worker", inject=crashes.kill_busy("email_worker"),
        template=lambda: {"delivery": "at_most_once"}, unknown=one_per_call, lasts=during_the_kills,
    ),
    Scenario(
        name="gateway-stopped", promise="an orderly stop is safe", injected="SIGTERM gateway",
        inject=crashes.terminate("gateway"), lasts=during_the_stops,
        refusals=frozenset({NO_ANSWER}), short=False,
    ),
    Scenario(
        name="relay-stopped", promise="an orderly stop is safe", injected="SIGTERM relay",
        inject=crashes.terminate("relay"), short=False, lasts=during_the_stops,
    ),
    Scenario(
        name="events-stopped", promise="an orderly stop is safe", injected="SIGTERM events",
        inject=crashes.terminate("events"), short=False, lasts=during_the_stops,
    ),
    Scenario(
        name="worker-stopped", promise="SIGTERM resends none",
        injected="SIGTERM a busy worker",
        inject=crashes.terminate_busy("email_worker"), lasts=during_the_stops,
    ),
    Scenario(
        name="rolling-restart", promise="a roll-out refuses none", injected="restart every process",
        inject=crashes.restart_all, orders=crashes.strangers, lasts=during_the_roll_out,
    ),
    Scenario(
        name="poison", promise="poison harms only itself", injected="a job kills its workers",
        inject=crashes.poison, orders=crashes.poisoned, unknown=lambda _scale: 1,
        duplicates=crashes.beside_the_poison,
    ),
    # RabbitMQ.
    Scenario(
        name="broker-killed", promise="a broker crash is safe", injected="kill -9 RabbitMQ",
        inject=outages.kill_rabbitmq,
    ),
    Scenario(
        name="broker-stopped", promise="202 without the broker", injected="stop RabbitMQ",
        inject=outages.stop_rabbitmq, lasts=during_the_outage, short=False,
    ),
    Scenario(
        name="broker-alarm", promise="202 during an alarm", injected="memory alarm",
        inject=outages.raise_memory_alarm, lasts=during_the_outage,
    ),
    Scenario(
        name="broker-partition", promise="a partition heals", injected="black hole to RabbitMQ",
        inject=outages.black_hole_to_rabbitmq, lasts=during_the_outage, short=False,
    ),
    Scenario(
        name="queue-deleted", promise="nothing is stuck", injected="a queue is deleted",
        inject=outages.delete_queue,
    ),
    # Redis.
    Scenario(
        name="redis-stopped", promise="Redis is not the truth", injected="stop Redis",
        inject=outages.stop_redis, lasts=during_the_outage, short=False,
    ),
    Scenario(
        name="redis-stalled", promise="Redis is not the truth", injected="SIGSTOP Redis",
        inject=outages.stall_redis, lasts=during_the_outage,
    ),
    Scenario(
        name="redis-flushed", promise="Redis is not the truth", injected="FLUSHALL",
        inject=outages.flush_redis, lasts=during_the_kills,
    ),
    Scenario(
        name="redis-partition", promise="a partition heals", injected="black hole to Redis",
        inject=outages.black_hole("Redis"), lasts=during_the_outage, short=False,
    ),
    Scenario(
        name="quota", promise="no one is over quota", injected="stop Redis, FLUSHALL",
        inject=outages.trouble_redis, check=orders.exactly_the_quota, quota=orders.quota_of,
        final=frozenset({QUOTA_EXCEEDED}),
    ),
    Scenario(
        name="same-request", promise="one request_id, one send",
        injected="copies at once, FLUSHALL", inject=outages.flush_redis_once,
        orders=orders.repeated, check=orders.one_row_each,
        refusals=frozenset({IN_PROGRESS}), clients=50,
    ),
    # PostgreSQL.
    Scenario(
        name="database-killed", promise="never a false 202", injected="kill -9 PostgreSQL",
        inject=outages.crash_postgres, lasts=during_the_outage, refusals=NO_DATABASE,
    ),
    Scenario(
        name="database-partition", promise="a partition heals",
        injected="black hole to PostgreSQL", inject=outages.black_hole("PostgreSQL"),
        lasts=during_the_outage, refusals=NO_DATABASE, short=False,
    ),
    Scenario(
        name="database-full", promise="never a false 202", injected="no space in PostgreSQL",
        inject=outages.fill_disk, lasts=during_the_outage, refusals=NO_DATABASE,
    ),
    # The two services that the gateway asks.
    Scenario(
        name="services-partition", promise="a partition heals", injected="black hole to services",
        inject=outages.black_hole_to_services, lasts=during_the_outage,
        refusals=frozenset({UNAVAILABLE, IN_PROGRESS}), short=False,
    ),
    # Providers.
    Scenario(
        name="provider-partition", promise="duplicates are flagged",
        injected="black hole to provider", inject=outages.black_hole("provider"),
        duplicates=one_per_thread, lasts=during_the_outage, steady=True, short=False,
    ),
    Scenario(
        name="provider-silent", promise="duplicates are flagged",
        injected="takes, never answers", inject=outages.silence_provider,
        duplicates=outages.unanswered_calls, lasts=during_the_outage, steady=True, short=False,
    ),
    Scenario(
        name="provider-busy", promise="trouble is retried", injected="451 from the provider",
        inject=outages.provider_mood(Mood.BUSY), lasts=during_the_outage, steady=True, short=False,
    ),
    Scenario(
        name="provider-fickle", promise="trouble is retried",
        injected="451 to every other mail",
        inject=outages.provider_mood(Mood.FICKLE), lasts=during_the_outage,
    ),
    Scenario(
        name="provider-slow", promise="trouble is waited out", injected="50 ms for each mail",
        inject=outages.provider_mood(Mood.SLOW), lasts=during_the_outage, steady=True, short=False,
    ),
    Scenario(
        name="provider-gone", promise="trouble is retried", injected="provider hangs up",
        inject=outages.provider_mood(Mood.REFUSE_CONNECTIONS), lasts=during_the_outage, steady=True,
        short=False,
    ),
    Scenario(
        name="provider-failover", promise="the next takes over", injected="503 from the first",
        within=limits.api_then_smtp, inject=limits.fail_over, lasts=during_the_outage, steady=True,
    ),
    Scenario(
        name="provider-limited", promise="Retry-After is kept", injected="429 from the provider",
        within=limits.api_alone, inject=limits.ask_for_a_pause, check=limits.no_early_call,
        lasts=during_the_outage, steady=True,
    ),
    # Time.
    Scenario(
        name="schedule", promise="a schedule fires once", injected="two relays, one instant",
        inject=orders.wait_for_the_instant, orders=orders.scheduled,
        check=orders.not_before_its_time, beside=("relay",),
    ),
)  # fmt: skip

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def scenarios_for(scale: Scale) -> tuple[Scenario, ...]:
    """Those that make sense at that scale."""
    return SCENARIOS if scale.patient else tuple(each for each in SCENARIOS if each.short)
