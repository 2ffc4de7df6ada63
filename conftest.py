"""Fixtures and settings for every suite."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["carillon.testing.servers"]

# No test asserts a time: a busy machine is not a mistake.
calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same examples on every run; `pytest --hypothesis-profile explore` looks for others.
settings.register_profile("carillon", calm, derandomize=True)
settings.register_profile("explore", calm, max_examples=1_000)
settings.load_profile("carillon")
