"""`/api/v1/users/`: list, create, fetch, change, erase, fetch many."""

import re

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.web.bodies import parse_body
from carillon.web.envelope import page_meta, success
from carillon.web.errors import ValidationFailed
from carillon.web.openapi import answer, error_answers, request_body
from carillon.web.paging import LIMIT_DEFAULT, LIMIT_MOST, PAGE_MOST, requested_page
from user_service.users.apis import examples
from user_service.users.apis.organization_api import OrganizationApi, organization_of
from user_service.users.bodies import BatchBody, UserBody
from user_service.users.selectors import find_user, find_users, search_users
from user_service.users.services.users import create_user, delete_user, update_user
from user_service.users.shapes import BatchShape, DeletedUserShape, UserShape, show_user

SEARCH_LENGTH = 200

_CALLER_ERRORS = ((401, "authentication_required"), (400, "missing_organization"))
_BODY_ERRORS = ((400, "invalid_json"), (400, "missing_fields"), (400, "validation_error"))


class UserListCreateApi(OrganizationApi):
    """All users of the organization, and new ones."""

    @extend_schema(
        operation_id="list_users",
        summary="List and search users",
        description="The newest first.",
        tags=["users"],
        parameters=[
            OpenApiParameter(
                "search",
                {"type": "string", "maxLength": SEARCH_LENGTH},
                description="Part of a name, email, phone number or external id, in any case; "
                "or a whole user id.",
            ),
            examples.number_parameter("page", 1, PAGE_MOST, "Which page, from 1."),
            examples.number_parameter("limit", LIMIT_DEFAULT, LIMIT_MOST, "Users on a page."),
        ],
        responses={
            200: answer(
                list[UserShape],
                "A page of users",
                example=examples.enveloped([examples.USER], "Users retrieved", limit=20),
            ),
            **error_answers((400, "validation_error"), *_CALLER_ERRORS),
        },
    )
    def get(self, request: Request) -> Response:
        """A page of users."""
        page = requested_page(request)
        users = search_users(organization_of(request), _search_text(request))
        shown = [show_user(user) for user in users[page.slice]]
        meta = page_meta(total=users.count(), limit=page.limit, page=page.number)
        return success(shown, "Users retrieved", meta=meta)

    @extend_schema(
        operation_id="create_user",
        summary="Create a user",
        description="Needs an email, a phone number, a push token or an external id; everything "
        "else is optional. The email and the external id are unique within the organization, the "
        "email in any case. `push_token` is a shorthand for one device of platform `fcm`. The "
        "password is kept as a salted hash and never shown.",
        tags=["users"],
        request=request_body(UserBody),
        examples=[
            examples.sent("With an email and a device", examples.REFERENCE_USER),
            examples.sent("With your own id", examples.FULL_USER),
        ],
        responses={
            201: answer(
                UserShape,
                "The user was created",
                example=examples.enveloped(examples.USER, "User created"),
            ),
            **error_answers(
                *_BODY_ERRORS,
                *_CALLER_ERRORS,
                (404, "organization_not_found"),
                (409, "user_exists"),
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """A new user."""
        user = create_user(organization_of(request), parse_body(request, UserBody))
        return success(show_user(user), "User created", status=201)


class UserDetailApi(OrganizationApi):
    """One user."""

    @extend_schema(
        operation_id="get_user",
        summary="Fetch a user",
        tags=["users"],
        parameters=[examples.USER_PATH],
        responses={
            200: answer(
                UserShape, "The user", example=examples.enveloped(examples.USER, "User retrieved")
            ),
            **error_answers(*_CALLER_ERRORS, (404, "user_not_found")),
        },
    )
    def get(self, request: Request, identifier: str) -> Response:
        """The user, without the password."""
        user = find_user(organization_of(request), identifier)
        return success(show_user(user), "User retrieved")

    @extend_schema(
        operation_id="update_user",
        summary="Change a user",
        description='Only what is named changes; null takes a field back to "not known". '
        "`attributes` and `preferences` are merged key by key, a null removes one. `push_token` "
        "replaces the token that the user shows.",
        tags=["users"],
        parameters=[examples.USER_PATH],
        request=request_body(UserBody),
        examples=[
            examples.sent(
                "A name and a device",
                {"name": "Updated Mock User Name", "push_token": "token_updated_mock_user"},
            ),
            examples.sent("Merge attributes", {"attributes": {"plan": "platinum", "city": None}}),
        ],
        responses={
            200: answer(
                UserShape,
                "The user after the change",
                example=examples.enveloped(examples.USER, "User updated"),
            ),
            **error_answers(
                *_BODY_ERRORS, *_CALLER_ERRORS, (404, "user_not_found"), (409, "user_exists")
            ),
        },
    )
    def patch(self, request: Request, identifier: str) -> Response:
        """The user after the change; the next notification already heeds it."""
        user = update_user(organization_of(request), identifier, parse_body(request, UserBody))
        return success(show_user(user), "User updated")

    @extend_schema(
        operation_id="delete_user",
        summary="Erase a user",
        description="The user, the addresses and the devices are gone at once and for good.",
        tags=["users"],
        parameters=[examples.USER_PATH],
        responses={
            200: answer(
                DeletedUserShape,
                "The user was erased",
                example=examples.enveloped({"user_id": examples.USER_ID}, "User deleted"),
            ),
            **error_answers(*_CALLER_ERRORS, (404, "user_not_found")),
        },
    )
    def delete(self, request: Request, identifier: str) -> Response:
        """The id of who was erased."""
        user_id = delete_user(organization_of(request), identifier)
        return success(DeletedUserShape(user_id), "User deleted")


class UserBatchApi(OrganizationApi):
    """Many users at once."""

    @extend_schema(
        operation_id="fetch_users",
        summary="Fetch up to 1,000 users at once",
        description="By user ids, external ids or both. Each user comes once, in the order "
        "asked for; ids that name none are listed.",
        tags=["users"],
        request=request_body(BatchBody),
        examples=[
            examples.sent("Two users", {"user_ids": [examples.USER_ID, "customer-4712"]}),
        ],
        responses={
            200: answer(
                BatchShape,
                "The users that there are",
                example=examples.enveloped(
                    {"users": [examples.USER], "not_found": ["customer-4712"]}, "Users retrieved"
                ),
            ),
            **error_answers(*_BODY_ERRORS, *_CALLER_ERRORS),
        },
    )
    def post(self, request: Request) -> Response:
        """The users, and the ids that name none."""
        body = parse_body(request, BatchBody)
        found = find_users(organization_of(request), body.user_ids)
        shown = [show_user(user) for user in found.users]
        count = len(shown)
        meta = page_meta(total=count, limit=max(count, 1), page=1)
        return success(
            BatchShape(users=shown, not_found=found.not_found), "Users retrieved", meta=meta
        )


def _search_text(request: Request) -> str:
    text = request.query_params.get("search", "").strip()
    if len(text) > SEARCH_LENGTH or re.search(r"[\x00-\x1f]", text):
        problem = f"Expected {SEARCH_LENGTH} characters at most, and no control characters."
        raise ValidationFailed(details={"search": [problem]})
    return text
