"""The retry policies as they are by default."""

from carillon.settings import Environment
from gateway.deliveries.config import read_retry_policies

POLICIES = read_retry_policies(Environment(files=()))
