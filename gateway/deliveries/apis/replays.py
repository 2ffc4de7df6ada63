"""`POST /api/v1/dead-letters/…/replay/`: sending again what failed, one or many."""

from datetime import UTC, datetime, timedelta

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.messages import Mode
from carillon.contracts.status import Status
from carillon.web.bodies import expect_no_body, parse_body
from carillon.web.envelope import success
from carillon.web.errors import InvalidJSON, PayloadTooLarge, ValidationFailed
from carillon.web.openapi import request_body
from gateway.admission.views import ClientApi
from gateway.deliveries.apis import examples
from gateway.deliveries.bodies import ReplayBody, check_replay
from gateway.deliveries.errors import DeadLetterNotFound, ReplayBacklog
from gateway.deliveries.selectors import DeadLetterFilters
from gateway.deliveries.services.replay import replay_dead_letter
from gateway.deliveries.services.replay_by_filter import (
    Pace,
    ReplayReport,
    plan_replay,
    replay_by_filter,
)
from gateway.deliveries.shapes import DeadLetterShape, ReplayShape, show_dead_letter
from gateway.documentation import caller_refusals, path_parameter, refusals, sent, shown
from gateway.notifications.apis.create import REPLAYED_HEADER
from gateway.notifications.apis.refusals import NO_FIELDS, SENDING_AGAIN
from gateway.notifications.change_errors import NotificationBusy
from gateway.notifications.errors import UserServiceUnavailable
from gateway.notifications.services.locking import Authority
from gateway.organizations.key_records import KeyRecord
from gateway.organizations.models import Scope

_TAGS = ["dead letters"]

ACCEPTED = "The notification is accepted and will be sent again"
REJECTED = "Not sent again; notification_reason says why"
REPEATED = "It was replayed before; nothing more was sent"
PLANNED = "Nothing was replayed; this is what would be"
DONE = "The dead letters are being replayed"


class DeadLetterReplayApi(ClientApi):
    """Replays one dead letter. Who may send may send again, hence the scope."""

    scopes = {"POST": (Scope.SEND,)}

    @extend_schema(
        operation_id="replay_dead_letter",
        summary="Send a failed notification again",
        description=(
            "The notification keeps its id and gets another attempt, with as many retries as at "
            "first; it uses no quota. A user is reached where they can be reached today, and gets "
            "nothing (`rejected`) after opting out or a suppression. Safe to repeat: the second "
            "call answers 200 and sends nothing, until the notification has failed anew."
        ),
        tags=_TAGS,
        parameters=[path_parameter("dead_letter_id", examples.DEAD_LETTER_ID, "Its id.")],
        request=None,
        responses={
            202: shown(DeadLetterShape, "It will be sent again", examples.REPLAYED, ACCEPTED),
            200: shown(
                DeadLetterShape, "It was replayed before", examples.DELIVERED_SINCE, REPEATED
            ),
            **refusals(*caller_refusals("send"), *NO_FIELDS, DeadLetterNotFound(), *SENDING_AGAIN),
        },
    )
    def post(self, request: Request, dead_letter_id: str) -> Response:
        """Replay it."""
        expect_no_body(request)
        replay = replay_dead_letter(Authority.of(self.caller), dead_letter_id)
        shape = show_dead_letter(replay.letter)
        if replay.repeated:
            return success(shape, REPEATED, headers={REPLAYED_HEADER: "true"})
        rejected = shape.notification_status is Status.REJECTED
        return success(shape, REJECTED if rejected else ACCEPTED, status=202)


class DeadLettersReplayApi(ClientApi):
    """Replays many. One call may send ten thousand, past quota and limits, hence the scope."""

    scopes = {"POST": (Scope.ADMIN,)}

    @extend_schema(
        operation_id="replay_dead_letters",
        summary="Send failed notifications again, by filter",
        description=(
            "Replays up to `limit` of the dead letters that match, the oldest first, `per_second` "
            "of them becoming due in a second. Ask with `dry_run` first: it counts them and shows "
            "ten. What was replayed is not replayed again, so repeat the call until `remaining` "
            "is 0; each call's notifications follow those of the calls before. Name "
            "`created_before`, and what fails anew is not replayed in a circle. To see how it "
            "goes, repeat the dry run: `waiting` counts the replays that are still to be handed "
            "over; or list the dead letters with `replayed=true`. Left out is what has expired or "
            "lost its content to retention, and, unless `reason` asks for it, what may be sent "
            "once at most and whose outcome is unknown. With a test key: only what test keys sent."
        ),
        tags=_TAGS,
        request=request_body(ReplayBody),
        examples=[
            sent("What would be replayed after an outage", examples.DRY_RUN),
            sent("Replay it", examples.AFTER_AN_OUTAGE),
        ],
        responses={
            200: shown(ReplayShape, "A dry run", examples.PLANNED, PLANNED),
            202: shown(ReplayShape, "They will be sent again", examples.DONE, DONE),
            **refusals(
                *caller_refusals("admin"),
                InvalidJSON("The body is not acceptable JSON: Expecting value at line 1 column 1."),
                ValidationFailed(details={"limit": ["Expected a whole number <= 10000."]}),
                PayloadTooLarge("The body may have 1000000 bytes at most."),
                ReplayBacklog(datetime(2026, 1, 6, 11, 30, tzinfo=UTC), timedelta(minutes=5)),
                NotificationBusy(),
                UserServiceUnavailable(),
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Replay what matches."""
        body = parse_body(request, ReplayBody)
        check_replay(body)
        caller = self.caller
        pace = Pace(body.limit, body.per_second)
        if body.dry_run:
            report = plan_replay(caller.organization_id, _filters(body, caller), pace)
            return success(_show(report), PLANNED)
        report = replay_by_filter(caller.organization_id, _filters(body, caller), pace)
        return success(_show(report), DONE, status=202)


def _filters(body: ReplayBody, caller: KeyRecord) -> DeadLetterFilters:
    return DeadLetterFilters(
        channel=body.channel,
        reason=body.reason.value if body.reason else "",
        template_code=body.template_code,
        mode=Mode.TEST.value if caller.mode is Mode.TEST else "",
        created_after=body.created_after,
        created_before=body.created_before,
    )


def _show(report: ReplayReport) -> ReplayShape:
    return ReplayShape(
        dry_run=report.dry_run,
        matching=report.matching,
        replayed=report.replayed,
        rejected=report.rejected,
        remaining=report.remaining,
        waiting=report.waiting,
        starts_at=report.starts_at,
        until=report.until,
        sample=[show_dead_letter(letter) for letter in report.sample],
    )
