"""`/api/v1/users/<identifier>/preferences/`: what a user wants to receive."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.web.bodies import parse_body
from carillon.web.envelope import success
from carillon.web.openapi import answer, error_answers, request_body
from user_service.users import quiet_hours
from user_service.users.apis import examples
from user_service.users.apis.organization_api import OrganizationApi, organization_of
from user_service.users.bodies import PreferencesBody
from user_service.users.selectors import find_user
from user_service.users.services.preferences import update_preferences
from user_service.users.shapes import PreferencesShape, show_preferences

_ERRORS = (
    (400, "missing_organization"),
    (401, "authentication_required"),
    (404, "user_not_found"),
)


class UserPreferencesApi(OrganizationApi):
    """A user's channels, categories and quiet hours."""

    @extend_schema(
        operation_id="get_preferences",
        summary="Fetch a user's preferences",
        description="`preferences` has every channel; `categories` and `quiet_hours` what was "
        "said of them. A channel or a category that is switched off gets nothing, except what is "
        "essential.",
        tags=["preferences"],
        parameters=[examples.USER_PATH],
        responses={
            200: answer(
                PreferencesShape,
                "The preferences",
                example=examples.enveloped(examples.PREFERENCES, "Preferences retrieved"),
            ),
            **error_answers(*_ERRORS),
        },
    )
    def get(self, request: Request, identifier: str) -> Response:
        """What is in force."""
        user = find_user(organization_of(request), identifier)
        return success(show_preferences(user), "Preferences retrieved")

    @extend_schema(
        operation_id="update_preferences",
        summary="Change a user's preferences",
        description="Only what is named changes: channel by channel, category by category, "
        "weekday by weekday. null takes it back to the default.\n\n" + (quiet_hours.__doc__ or ""),
        tags=["preferences"],
        parameters=[examples.USER_PATH],
        request=request_body(PreferencesBody),
        examples=[
            examples.sent("By channel", {"preferences": {"email": False, "push": True}}),
            examples.sent("By category", {"categories": {"marketing": {"email": False}}}),
            examples.sent(
                "Quiet hours",
                {
                    "quiet_hours": {
                        "friday": [{"start": "22:00", "end": "07:00"}],
                        "monday": None,
                    }
                },
            ),
        ],
        responses={
            200: answer(
                PreferencesShape,
                "The preferences after the change",
                example=examples.enveloped(examples.PREFERENCES, "Preferences updated"),
            ),
            **error_answers(
                (400, "invalid_json"),
                (400, "missing_fields"),
                (400, "validation_error"),
                *_ERRORS,
            ),
        },
    )
    def patch(self, request: Request, identifier: str) -> Response:
        """What is in force from now on; the next notification already heeds it."""
        body = parse_body(request, PreferencesBody)
        user = update_preferences(organization_of(request), identifier, body)
        return success(show_preferences(user), "Preferences updated")
