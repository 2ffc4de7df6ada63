"""`POST /internal/users/erase/`: user_service tells that a user is gone."""

from typing import Annotated

import msgspec
import psycopg
import structlog
from drf_spectacular.utils import extend_schema
from msgspec import Meta
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts import ids
from carillon.web.bodies import parse_body
from carillon.web.envelope import success
from carillon.web.errors import ServiceUnavailable
from carillon.web.organization_api import OrganizationApi, organization_of
from gateway.notifications.bodies import IDENTIFIER_LENGTH
from gateway.notifications.change_errors import NotificationBusy
from gateway.outbox.database import connect
from gateway.retention import metrics
from gateway.retention.services.erasure import erase_user

log = structlog.get_logger(__name__)

IDLE_IN_TRANSACTION = 30.0
# A window of the relay is settled within seconds; who asked asks again.
LOCK_TIMEOUT = "-c lock_timeout=10000"


class EraseBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose copies to clear."""

    user_id: Annotated[str, Meta(min_length=1, max_length=IDENTIFIER_LENGTH)]


class ErasedShape(msgspec.Struct, frozen=True):
    """What was done this time; both are 0 where nothing was left."""

    cancelled: int
    cleared: int


# Not for clients, so not in their documentation; docs/tenancy-and-keys.md tells of it.
@extend_schema(exclude=True)
class UserEraseApi(OrganizationApi):
    """Clears a user's copies; safe to repeat."""

    def post(self, request: Request) -> Response:
        """Erase them. 409 or 503: nothing is lost, call again."""
        body = parse_body(request, EraseBody)
        organization = ids.parse_id(ids.ORGANIZATION, organization_of(request))
        if organization is None:
            raise ValueError("the authentication let an organization without an id in")
        try:
            with connect(
                "erasure", idle_in_transaction=IDLE_IN_TRANSACTION, options=LOCK_TIMEOUT
            ) as session:
                erased = erase_user(session, organization, body.user_id)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            raise NotificationBusy from None
        except psycopg.OperationalError as error:
            log.error("database unavailable", error=type(error).__name__)
            raise ServiceUnavailable("The database is unavailable; try again.") from error
        metrics.CLEARED.labels("erasure").inc(erased.cleared)
        metrics.ERASED_CANCELLED.inc(erased.cancelled)
        log.info("user erased", cancelled=erased.cancelled, cleared=erased.cleared)
        return success(ErasedShape(erased.cancelled, erased.cleared), "User erased")
