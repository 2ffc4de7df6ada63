"""Paging by number, for people; machines page by cursor where an endpoint offers one."""

from dataclasses import dataclass

from rest_framework.request import Request

from carillon.web.errors import ValidationFailed

LIMIT_DEFAULT = 20
LIMIT_MOST = 100
PAGE_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """`number` from 1 and `limit` objects on it."""

    number: int
    limit: int

    @property
    def slice(self) -> slice:
        """What of a queryset is on this page."""
        start = (self.number - 1) * self.limit
        return slice(start, start + self.limit)


def requested_page(request: Request) -> Page:
    """`?page=` (1 to 10,000) and `?limit=` (1 to 100). Raises ValidationFailed."""
    return Page(
        number=_integer(request, "page", 1, PAGE_MOST),
        limit=_integer(request, "limit", LIMIT_DEFAULT, LIMIT_MOST),
    )


def _integer(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most):
        raise ValidationFailed(details={name: [f"Expected a whole number from 1 to {most}."]})
    return int(text)
