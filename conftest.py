"""Fixtures and settings for every suite."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["carillon.testing.servers"]

# No test asserts a time: a busy machine is not a mistake.
settings.register_profile("carillon", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("carillon")
