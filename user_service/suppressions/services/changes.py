"""Addresses suppressed and released; the users who have them are told of to the cache."""

from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import Q

from carillon.contracts.suppressions import address_digest
from carillon.web.errors import ApiError
from carillon.web.tenants.services import require_organization
from user_service.json_lines import Line, LineResult
from user_service.locks import hold_names
from user_service.suppressions import cache
from user_service.suppressions.bodies import SuppressionBody, check_suppression
from user_service.suppressions.models import Suppression
from user_service.suppressions.selectors import find_suppression
from user_service.users.selectors import users_having
from user_service.users.services.changes import address_name, announce, lock_users, renumber

TOGETHER = 500


def suppress(
    organization_id: str, body: SuppressionBody, *, source: str
) -> tuple[Suppression, bool]:
    """The address's suppression, and whether it is new: the first reason stays.

    Raises ValidationFailed or OrganizationNotFound.
    """
    body = check_suppression(body)
    (result,) = suppress_all(organization_id, [body], source=source)
    return result


def suppress_all(
    organization_id: str, bodies: Collection[SuppressionBody], *, source: str
) -> list[tuple[Suppression, bool]]:
    """The same for many checked bodies in one transaction. Raises OrganizationNotFound."""
    organization = require_organization(organization_id)
    places = [(body.channel, body.address) for body in bodies]
    with transaction.atomic():
        hold_names(organization_id, {address_name(address) for _channel, address in places})
        digests = [address_digest(organization_id, *place) for place in places]
        known = {
            bytes(found.digest): found
            for found in Suppression.objects.filter(organization=organization, digest__in=digests)
        }
        results: list[tuple[Suppression, bool]] = []
        for digest, body in zip(digests, bodies, strict=True):
            is_new = digest not in known
            if is_new:
                known[digest] = Suppression(
                    organization=organization,
                    channel=body.channel,
                    address=body.address,
                    digest=digest,
                    reason=body.reason,
                    source=source,
                    note=body.note,
                )
            results.append((known[digest], is_new))
        new = [suppression for suppression, is_new in results if is_new]
        Suppression.objects.bulk_create(new)
        _tell(organization_id, new)
    return results


def import_suppressions(
    organization_id: str, lines: Sequence[Line], *, source: str
) -> list[LineResult]:
    """What became of each line, in order. Raises OrganizationNotFound."""
    require_organization(organization_id)
    results: list[LineResult] = []
    for start in range(0, len(lines), TOGETHER):
        chunk = [_read(line) for line in lines[start : start + TOGETHER]]
        bodies = [asked for asked in chunk if isinstance(asked, SuppressionBody)]
        done = iter(suppress_all(organization_id, bodies, source=source))
        for line, asked in zip(lines[start : start + TOGETHER], chunk, strict=True):
            results.append(_result(line, asked if isinstance(asked, ApiError) else next(done)))
    return results


def _read(line: Line) -> SuppressionBody | ApiError:
    try:
        return check_suppression(line.read_as(SuppressionBody))
    except ApiError as error:
        return error


def _result(line: Line, done: tuple[Suppression, bool] | ApiError) -> LineResult:
    if isinstance(done, ApiError):
        return LineResult.refused(line, done)
    suppression, is_new = done
    outcome = "created" if is_new else "updated"
    return LineResult(line=line.number, outcome=outcome, id=suppression.id)


def release(organization_id: str, suppression_id: str) -> None:
    """Send to the address again. Raises SuppressionNotFound."""
    with transaction.atomic():
        suppression = find_suppression(organization_id, suppression_id)
        hold_names(organization_id, [address_name(suppression.address)])
        Suppression.objects.filter(id=suppression.id).delete()
        _tell(organization_id, [suppression])


def _tell(organization_id: str, changed: Collection[Suppression]) -> None:
    if not changed:
        return
    # An erased address is nobody's.
    having = users_having(organization_id, {found.address for found in changed if found.address})
    users = lock_users(organization_id, Q(id__in=having.values("id")))
    renumber(users)
    announce(users, "suppression")
    digests = [bytes(found.digest) for found in changed]
    transaction.on_commit(lambda: _refresh(organization_id, digests))


def _refresh(organization_id: str, digests: Collection[bytes]) -> None:
    cache.refresh(organization_id, digests)
