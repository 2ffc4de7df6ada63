"""`/api/v1/categories/`: what an organization decides on each category."""

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.web.bodies import parse_body
from carillon.web.envelope import page_meta, success
from carillon.web.openapi import answer, error_answers, request_body
from carillon.web.organization_api import OrganizationApi, organization_of
from user_service.documentation import BODY_ERRORS, CALLER_ERRORS, enveloped, sent
from user_service.policies.bodies import CategoryBody, CategoryChangeBody
from user_service.policies.selectors import categories_of, find_category
from user_service.policies.services import create_category, delete_category, update_category
from user_service.policies.shapes import CategoryShape, DeletedCategoryShape, show_category

_CODE = OpenApiParameter(
    "code",
    str,
    OpenApiParameter.PATH,
    description="The category's code.",
    examples=[OpenApiExample("A category", value="marketing")],
)
_MARKETING = {
    "code": "marketing",
    "name": "Offers and news",
    "description": "Now and then, and never more than twice a day.",
    "essential": False,
    "preferences": {"sms": False},
    "frequency_cap": {"limit": 2, "seconds": 86400},
    "built_in": False,
}
_SECURITY = {
    "code": "security",
    "name": "Security",
    "description": "",
    "essential": True,
    "preferences": {},
    "frequency_cap": None,
    "built_in": True,
}
_NEW = {key: value for key, value in _MARKETING.items() if key != "built_in"}
_NOT_FOUND = ((404, "organization_not_found"), (404, "category_not_found"))


class CategoryListCreateApi(OrganizationApi):
    """The organization's categories, and new ones."""

    @extend_schema(
        operation_id="list_categories",
        summary="List the categories",
        description="All of them, by code: those of the organization and those that every "
        "organization has. Notifications may use others too; nothing was decided on those.",
        tags=["policies"],
        responses={
            200: answer(
                list[CategoryShape],
                "The categories",
                example=enveloped([_MARKETING, _SECURITY], "Categories retrieved", total=2),
            ),
            **error_answers(*CALLER_ERRORS),
        },
    )
    def get(self, request: Request) -> Response:
        """All of them."""
        categories = categories_of(organization_of(request))
        shown = [show_category(code, categories[code]) for code in sorted(categories)]
        count = len(shown)
        meta = page_meta(total=count, limit=max(count, 1), page=1)
        return success(shown, "Categories retrieved", meta=meta)

    @extend_schema(
        operation_id="create_category",
        summary="Create a category",
        description="`preferences` are the channels that are on or off unless the user says "
        "otherwise. What is essential reaches everybody, so it is on and has no cap.",
        tags=["policies"],
        request=request_body(CategoryBody),
        examples=[sent("With a frequency cap", _NEW)],
        responses={
            201: answer(
                CategoryShape,
                "The category was created",
                example=enveloped(_MARKETING, "Category created"),
            ),
            **error_answers(
                *BODY_ERRORS,
                *CALLER_ERRORS,
                (404, "organization_not_found"),
                (409, "category_exists"),
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """The category."""
        body = parse_body(request, CategoryBody)
        created = create_category(organization_of(request), body)
        return success(show_category(body.code, created), "Category created", status=201)


class CategoryDetailApi(OrganizationApi):
    """One category."""

    @extend_schema(
        operation_id="get_category",
        summary="Fetch a category",
        tags=["policies"],
        parameters=[_CODE],
        responses={
            200: answer(
                CategoryShape,
                "The category",
                example=enveloped(_MARKETING, "Category retrieved"),
            ),
            **error_answers(*CALLER_ERRORS, (404, "category_not_found")),
        },
    )
    def get(self, request: Request, code: str) -> Response:
        """What is in force."""
        category = find_category(organization_of(request), code)
        return success(show_category(code, category), "Category retrieved")

    @extend_schema(
        operation_id="update_category",
        summary="Change a category",
        description="Only what is named changes. It is in force for everybody who said nothing "
        "else from the very next notification on.",
        tags=["policies"],
        parameters=[_CODE],
        request=request_body(CategoryChangeBody),
        examples=[
            sent("Another cap", {"frequency_cap": {"limit": 5, "seconds": 604800}}),
            sent("No cap", {"frequency_cap": None}),
        ],
        responses={
            200: answer(
                CategoryShape,
                "The category after the change",
                example=enveloped(_MARKETING, "Category updated"),
            ),
            **error_answers(*BODY_ERRORS, *CALLER_ERRORS, *_NOT_FOUND),
        },
    )
    def patch(self, request: Request, code: str) -> Response:
        """What is in force from now on."""
        body = parse_body(request, CategoryChangeBody)
        category = update_category(organization_of(request), code, body)
        return success(show_category(code, category), "Category updated")

    @extend_schema(
        operation_id="delete_category",
        summary="Delete a category",
        description="What users said of it stays with them. A built-in category is then as it "
        "was at first.",
        tags=["policies"],
        parameters=[_CODE],
        responses={
            200: answer(
                DeletedCategoryShape,
                "The category was deleted",
                example=enveloped({"code": "marketing"}, "Category deleted"),
            ),
            **error_answers(*CALLER_ERRORS, *_NOT_FOUND),
        },
    )
    def delete(self, request: Request, code: str) -> Response:
        """The code of what was deleted."""
        delete_category(organization_of(request), code)
        return success(DeletedCategoryShape(code), "Category deleted")
