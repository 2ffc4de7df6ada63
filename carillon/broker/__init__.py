"""Everything that talks AMQP: topology, publishing with confirms, consuming with batched acks.

topology    every exchange and queue name
declaration `declare(url)`: make the topology exist
messages    what a publisher takes and answers
publisher   `Publisher`: windows of confirmed publishes over one connection
consumer    `Consumer`: lanes with their own channel and prefetch
delivery    `Delivery`, and `Inbox` between the I/O thread and those who process
health      `check(url)` for health endpoints
errors      what can go wrong
"""
