"""What all workers share: a job in, one outcome out, nothing lost between.

main        `run(worker, registry, threads=…)`: what a worker's `__main__` calls
processes   several processes of one worker
runner      `Runner`: one process's work, from RabbitMQ's lanes to the acks
desk        a channel's providers, queues and threads
crew        a thread: take, decide, send, hand the outcome on
lanes       who may take what; `parking` where jobs wait, `hands` what is in hand
admission   whether a job may be sent: its marker and the delivery policy
dedupe      the markers in Redis; `redis_link` the way there
sending     one attempt over the providers; `outcomes` what became of it
routing     the order of providers; `breaker` and `rate_limit` their state in Redis
reporting   events out, confirmed, then the acks
verification  tests organizations' accounts, apart from the crews
registry    which providers there are; `providers/` those for every channel
"""
