"""This service's own connection to the cache that the gateway reads."""

import functools

from django.conf import settings

from carillon.contracts.records import TemplateRecord
from carillon.record_cache import RecordCache, template_cache
from carillon.redis_client import connect
from template_service.templates.models import Template
from template_service.templates.selectors import template_record


@functools.cache
def cache() -> RecordCache[TemplateRecord]:
    """One pool of connections per process."""
    return template_cache(connect(settings.CARILLON.redis_url))


def keep(template: Template) -> TemplateRecord | None:
    """Write what is published of the template; gives what was written.

    An entry of a later revision stays.
    """
    record = template_record(template)
    if record is None:
        cache().write_absence(template.organization_id, [template.code], template.revision)
    else:
        cache().write(template.organization_id, [template.code], record)
    return record
