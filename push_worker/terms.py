"""What every push service is told beside a push's text: for how long, and how urgently."""

import base64
import hashlib
import re

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import DeliveryJob, PushContent, PushUrgency
from carillon.errors import PermanentFailure, Reason

_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_COLLAPSE_ID = re.compile(r"[\x21-\x7e]{1,64}")


def push_of(job: DeliveryJob) -> PushContent:
    """The job's push. Raises PermanentFailure for the content of another channel."""
    if not isinstance(job.content, PushContent):
        raise PermanentFailure("The content is not a push.", reason=Reason.INVALID_CONTENT)
    return job.content


def is_urgent(job: DeliveryJob, push: PushContent) -> bool:
    """Whether the device is woken for it: the push says so, else the lane."""
    if push.priority is not None:
        return push.priority is PushUrgency.HIGH
    return job.lane is Lane.HIGH


def seconds_to_live(job: DeliveryJob, push: PushContent, now: float) -> int | None:
    """For how long the service may keep it: its `ttl`, and never beyond the job's expiry.

    None where neither says anything: the service's own default holds.
    """
    bounds = [] if push.ttl is None else [push.ttl]
    if job.expires_at is not None:
        bounds.append(max(0, int(job.expires_at.timestamp() - now)))
    return min(bounds, default=None)


def topic(collapse_key: str) -> str:
    """The key as a Topic of web push: 32 characters of URL-safe Base64 at most (RFC 8030, 5.4)."""
    if _TOPIC.fullmatch(collapse_key):
        return collapse_key
    digest = hashlib.sha256(collapse_key.encode(errors="replace")).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()


def collapse_id(collapse_key: str) -> str:
    """The key as an apns-collapse-id: a header of 64 bytes at most."""
    if _COLLAPSE_ID.fullmatch(collapse_key):
        return collapse_key
    return hashlib.sha256(collapse_key.encode(errors="replace")).hexdigest()
