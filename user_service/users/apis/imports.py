"""`POST /api/v1/users/import/`: up to 10,000 users, one a line."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.web.envelope import success
from carillon.web.openapi import answer, error_answers
from carillon.web.organization_api import OrganizationApi, organization_of
from carillon.web.postgresql.patience import patience
from user_service.documentation import (
    CALLER_ERRORS,
    enveloped,
    lines_body,
    lines_in_words,
    sent_lines,
)
from user_service.json_lines import IMPORT_SECONDS, ImportShape, requested_lines, summarize
from user_service.users.apis import examples
from user_service.users.bodies import ImportedUserBody
from user_service.users.services.importing import import_users

_LINES = (
    {"external_id": "customer-1", "email": "jane@example.com", "name": "Jane Doe"},
    {"external_id": "customer-2", "phone_number": "0"},
)


class UserImportApi(OrganizationApi):
    """Many users at once."""

    @extend_schema(
        operation_id="import_users",
        summary="Import up to 10,000 users",
        description="One JSON object a line (`application/x-ndjson`), 32 KB a line and 20 MB in "
        "all. A line with an `external_id` changes the user who has it, or creates one; a line "
        "without creates one. Each line is judged on its own: a bad one does not harm the others, "
        "and the answer says what became of every line. Safe to repeat for lines with an "
        "`external_id`. Passwords are not imported.\n" + lines_in_words(*_LINES),
        tags=["users"],
        request=lines_body(ImportedUserBody),
        examples=[sent_lines("A good line and a bad one", *_LINES)],
        responses={
            200: answer(
                ImportShape,
                "What became of each line",
                example=enveloped(examples.IMPORT, "Lines imported"),
            ),
            **error_answers(
                (400, "invalid_json"),
                *CALLER_ERRORS,
                (404, "organization_not_found"),
                (413, "payload_too_large"),
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """What became of each line."""
        with patience(IMPORT_SECONDS):
            results = import_users(organization_of(request), requested_lines(request))
        return success(summarize(results), "Lines imported")
