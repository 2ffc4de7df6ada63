"""This service's own connection to the cache that the gateway reads."""

import functools

from django.conf import settings
from prometheus_client import Counter

from carillon.contracts.records import TemplateRecord
from carillon.record_cache import RecordCache, template_cache
from carillon.redis_client import connect
from template_service.templates.flight import SingleFlight
from template_service.templates.models import Template
from template_service.templates.selectors import find_template, template_record


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


# Of so many reads at once for one template, one asks the database.
_FLIGHT: SingleFlight[TemplateRecord | None] = SingleFlight()
READS = Counter(
    "carillon_template_record_reads_total", "Records asked for by the gateway.", ["source"]
)


def read_record(organization_id: str, code: str) -> TemplateRecord | None:
    """What is published of a template, from the database, written to the cache on the way.

    Calls that begin while another's read waits to begin share that one. Raises TemplateNotFound.
    """

    def read() -> TemplateRecord | None:
        READS.labels("database").inc()
        template = find_template(organization_id, code)
        record = keep(template)
        # A newer entry may have been evicted in between: nothing kept the older one out then.
        while (now := find_template(organization_id, code)).revision != template.revision:
            template, record = now, keep(now)
        return record

    record, shared = _FLIGHT.run((organization_id, code), read)
    if shared:
        READS.labels("shared").inc()
    return record
