"""`/api/v1/users/<identifier>/preferences/`: what a user wants to receive."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.web.bodies import parse_body
from carillon.web.envelope import page_meta, success
from carillon.web.openapi import answer, error_answers, request_body
from carillon.web.organization_api import OrganizationApi, organization_of
from carillon.web.paging import requested_page
from user_service.documentation import enveloped, page_parameters, sent
from user_service.policies.selectors import policy_of
from user_service.users import quiet_hours
from user_service.users.apis import examples
from user_service.users.bodies import PreferencesBody
from user_service.users.selectors import find_user, preference_changes
from user_service.users.services.preferences import update_preferences
from user_service.users.shapes import (
    PreferenceChangeShape,
    PreferencesShape,
    show_change,
    show_preferences,
)

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
                example=enveloped(examples.PREFERENCES, "Preferences retrieved"),
            ),
            **error_answers(*_ERRORS),
        },
    )
    def get(self, request: Request, identifier: str) -> Response:
        """What is in force."""
        organization_id = organization_of(request)
        user = find_user(organization_id, identifier)
        shown = show_preferences(user, policy_of(organization_id))
        return success(shown, "Preferences retrieved")

    @extend_schema(
        operation_id="update_preferences",
        summary="Change a user's preferences",
        description="Only what is named changes: channel by channel, category by category, "
        "weekday by weekday. null takes it back to the default.\n\n" + (quiet_hours.__doc__ or ""),
        tags=["preferences"],
        parameters=[examples.USER_PATH],
        request=request_body(PreferencesBody),
        examples=[
            sent("By channel", {"preferences": {"email": False, "push": True}}),
            sent("By category", {"categories": {"marketing": {"email": False}}}),
            sent(
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
                example=enveloped(examples.PREFERENCES, "Preferences updated"),
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
        organization_id = organization_of(request)
        body = parse_body(request, PreferencesBody)
        user = update_preferences(organization_id, identifier, body)
        shown = show_preferences(user, policy_of(organization_id))
        return success(shown, "Preferences updated")


class PreferenceHistoryApi(OrganizationApi):
    """Every change of a user's preferences."""

    @extend_schema(
        operation_id="list_preference_changes",
        summary="List the changes of a user's preferences",
        description="The newest first: what changed, when, where it came from and in which "
        'request. null is "not said".',
        tags=["preferences"],
        parameters=[examples.USER_PATH, *page_parameters("Changes")],
        responses={
            200: answer(
                list[PreferenceChangeShape],
                "A page of changes",
                example=enveloped([examples.CHANGE], "Changes retrieved", limit=20),
            ),
            **error_answers((400, "validation_error"), *_ERRORS),
        },
    )
    def get(self, request: Request, identifier: str) -> Response:
        """A page of changes."""
        page = requested_page(request)
        changes = preference_changes(find_user(organization_of(request), identifier))
        shown = [show_change(change) for change in changes[page.slice]]
        meta = page_meta(total=changes.count(), limit=page.limit, page=page.number)
        return success(shown, "Changes retrieved", meta=meta)
