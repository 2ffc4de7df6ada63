"""What a request to notify will take of the limits, told from its body before it is checked."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rest_framework.request import Request

from carillon.contracts import ids
from carillon.contracts.channels import CHANNELS
from carillon.web.errors import ApiError
from gateway.admission.authentication import ORGANIZATION_HEADER, single_header
from gateway.admission.claims import Claim
from gateway.admission.foresight import Foreseen
from gateway.notifications.apis.request_ids import request_id_of
from gateway.notifications.recipients import Recipient
from gateway.organizations.key_records import KeyRecord
from gateway.organizations.limits import monthly_quota
from gateway.organizations.models import Scope

_USER_ID = f"{ids.USER}_"


def foresee(
    request: Request, value: Mapping[str, Any], record: KeyRecord, direct: Recipient | None
) -> Foreseen | None:
    """None where it cannot be told, or the key as it was last seen may not send.

    `value` is the request's body, `direct` whom its `to` names, if it could be read.
    """
    if value.get("dry_run") or not _may_send(request, record):
        return None
    channel, recipient = value.get("notification_type"), _recipient(value, direct)
    if recipient is None or not isinstance(channel, str) or channel not in CHANNELS:
        return None
    template_code, category = value.get("template_code", ""), value.get("category", "")
    named = value.get("request_id", "")
    if not (
        isinstance(template_code, str) and isinstance(category, str) and isinstance(named, str)
    ):
        return None
    try:
        request_id = request_id_of(request, named)
    except ApiError:
        return None
    claim = Claim(
        notification_id=ids.new_uuid(),
        organization_id=record.organization_id,
        request_id=request_id,
        at=datetime.now(UTC),
        quota=monthly_quota(record),
        recipient=recipient,
        channel=channel,
    )
    foreseen = Foreseen(record, claim, (record.organization_id, template_code, category))
    return foreseen if foreseen.is_worth_trying() else None


def _may_send(request: Request, record: KeyRecord) -> bool:
    """Whether nothing refuses the request between its key and its body."""
    named = single_header(request, ORGANIZATION_HEADER) or record.organization_id
    return (
        record.organization_is_active
        and named == record.organization_id
        and record.allows(Scope.SEND.value)
    )


def _recipient(value: Mapping[str, Any], direct: Recipient | None) -> str | None:
    """What its limit is counted by. Other ids of users lead to theirs only in the cache."""
    user_id = value.get("user_id")
    if direct is not None:
        return None if user_id else direct.limit_key
    if isinstance(user_id, str) and user_id.startswith(_USER_ID) and "to" not in value:
        return user_id
    return None
