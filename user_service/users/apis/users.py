"""`/api/v1/users/`: list, create, fetch, change, erase, fetch many."""

import re

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.web.bodies import parse_body
from carillon.web.envelope import page_meta, success
from carillon.web.errors import ValidationFailed
from carillon.web.openapi import answer, error_answers, request_body
from carillon.web.organization_api import OrganizationApi, organization_of
from carillon.web.paging import requested_page
from user_service.documentation import BODY_ERRORS, CALLER_ERRORS, enveloped, page_parameters, sent
from user_service.policies.selectors import policy_of
from user_service.users.apis import examples
from user_service.users.bodies import BatchBody, UserBody
from user_service.users.selectors import find_user, find_users, search_users
from user_service.users.services.users import create_user, delete_user, put_user, update_user
from user_service.users.shapes import BatchShape, DeletedUserShape, UserShape, show_user

SEARCH_LENGTH = 200


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
            *page_parameters("Users"),
        ],
        responses={
            200: answer(
                list[UserShape],
                "A page of users",
                example=enveloped([examples.USER], "Users retrieved", limit=20),
            ),
            **error_answers((400, "validation_error"), *CALLER_ERRORS),
        },
    )
    def get(self, request: Request) -> Response:
        """A page of users."""
        page = requested_page(request)
        organization_id = organization_of(request)
        users = search_users(organization_id, _search_text(request))
        policy = policy_of(organization_id)
        shown = [show_user(user, policy) for user in users[page.slice]]
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
            sent("With an email and a device", examples.REFERENCE_USER),
            sent("With your own id", examples.FULL_USER),
        ],
        responses={
            201: answer(
                UserShape,
                "The user was created",
                example=enveloped(examples.USER, "User created"),
            ),
            **error_answers(
                *BODY_ERRORS,
                *CALLER_ERRORS,
                (404, "organization_not_found"),
                (409, "user_exists"),
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """A new user."""
        organization_id = organization_of(request)
        user = create_user(organization_id, parse_body(request, UserBody))
        return success(show_user(user, policy_of(organization_id)), "User created", status=201)


class UserDetailApi(OrganizationApi):
    """One user."""

    @extend_schema(
        operation_id="get_user",
        summary="Fetch a user",
        tags=["users"],
        parameters=[examples.USER_PATH],
        responses={
            200: answer(UserShape, "The user", example=enveloped(examples.USER, "User retrieved")),
            **error_answers(*CALLER_ERRORS, (404, "user_not_found")),
        },
    )
    def get(self, request: Request, identifier: str) -> Response:
        """The user, without the password."""
        organization_id = organization_of(request)
        user = find_user(organization_id, identifier)
        return success(show_user(user, policy_of(organization_id)), "User retrieved")

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
            sent(
                "A name and a device",
                {"name": "Updated Mock User Name", "push_token": "token_updated_mock_user"},
            ),
            sent("Merge attributes", {"attributes": {"plan": "platinum", "city": None}}),
        ],
        responses={
            200: answer(
                UserShape,
                "The user after the change",
                example=enveloped(examples.USER, "User updated"),
            ),
            **error_answers(
                *BODY_ERRORS, *CALLER_ERRORS, (404, "user_not_found"), (409, "user_exists")
            ),
        },
    )
    def patch(self, request: Request, identifier: str) -> Response:
        """The user after the change; the next notification already heeds it."""
        organization_id = organization_of(request)
        user = update_user(organization_id, identifier, parse_body(request, UserBody))
        return success(show_user(user, policy_of(organization_id)), "User updated")

    @extend_schema(
        operation_id="put_user",
        summary="Create or change a user by your own id",
        description="Changes the user of this external id as PATCH does, or creates it. "
        "Safe to repeat.",
        tags=["users"],
        parameters=[examples.USER_PATH],
        request=request_body(UserBody),
        examples=[sent("With an email", {"email": "jane@example.com", "name": "Jane Doe"})],
        responses={
            200: answer(
                UserShape,
                "The user was there",
                example=enveloped(examples.USER, "User updated"),
            ),
            201: answer(
                UserShape, "The user is new", example=enveloped(examples.USER, "User created")
            ),
            **error_answers(
                *BODY_ERRORS,
                *CALLER_ERRORS,
                (404, "organization_not_found"),
                (404, "user_not_found"),
                (409, "user_exists"),
            ),
        },
    )
    def put(self, request: Request, identifier: str) -> Response:
        """The user, who has this external id."""
        organization_id = organization_of(request)
        user, is_new = put_user(organization_id, identifier, parse_body(request, UserBody))
        shown = show_user(user, policy_of(organization_id))
        if is_new:
            return success(shown, "User created", status=201)
        return success(shown, "User updated")

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
                example=enveloped({"user_id": examples.USER_ID}, "User deleted"),
            ),
            **error_answers(*CALLER_ERRORS, (404, "user_not_found")),
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
            sent("Two users", {"user_ids": [examples.USER_ID, "customer-4712"]}),
        ],
        responses={
            200: answer(
                BatchShape,
                "The users that there are",
                example=enveloped(
                    {"users": [examples.USER], "not_found": ["customer-4712"]}, "Users retrieved"
                ),
            ),
            **error_answers(*BODY_ERRORS, *CALLER_ERRORS),
        },
    )
    def post(self, request: Request) -> Response:
        """The users, and the ids that name none."""
        body = parse_body(request, BatchBody)
        organization_id = organization_of(request)
        found = find_users(organization_id, body.user_ids)
        policy = policy_of(organization_id)
        shown = [show_user(user, policy) for user in found.users]
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
