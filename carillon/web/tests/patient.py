"""What the tests of a service wait for: a minute, where production gives up after seconds.

A busy machine is no outage. A test that is about one has its own timeout, or an address that
refuses at once. Imported by the conftest of each service.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.conf import settings
from django.db import connection

from carillon import redis_client

SECONDS = 60


@pytest.fixture(scope="session", autouse=True)
def patient() -> Iterator[None]:
    """Redis and PostgreSQL may take their time."""
    options = connection.settings_dict["OPTIONS"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis_client, "TIMEOUT_SECONDS", float(SECONDS))
        patch.setitem(options, "connect_timeout", SECONDS)
        patch.setitem(options, "options", f"-c statement_timeout={SECONDS * 1000}")
        patch.setattr(settings, "CARILLON", replace(settings.CARILLON, database_patience=SECONDS))
        yield
