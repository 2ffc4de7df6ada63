"""`manage.py tell_erasures`: tell the gateway now of every user who was erased."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from carillon.observability.correlation import bound, new_correlation_id
from user_service.erasure.models import PendingErasure
from user_service.erasure.services import tell_due


class Command(BaseCommand):
    """The web processes do it by themselves; this is for who will not wait."""

    help = (
        "Tells the gateway of every erased user whose copies it has not cleared yet, also of those "
        "that are put off after a failure. The exit code is 1 if any is left."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError if any is left."""
        done = 0
        with bound(new_correlation_id()):
            while True:
                told = tell_due(everything=True)
                done += told.done
                if told.failed or not told.done:
                    break
        left = PendingErasure.objects.count()
        self.stdout.write(f"{done} cleared at the gateway, {left} left")
        if left:
            raise CommandError(f"{left} erasures are still to be told to the gateway.")
