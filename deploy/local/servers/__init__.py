"""The private servers: PostgreSQL, Redis and RabbitMQ, each started, stopped and killed alike."""
