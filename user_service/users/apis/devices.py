"""`/api/v1/users/<identifier>/devices/`: where a user receives push notifications."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.web.bodies import parse_body
from carillon.web.envelope import page_meta, success
from carillon.web.openapi import answer, error_answers, request_body
from carillon.web.organization_api import OrganizationApi, organization_of
from user_service.documentation import enveloped, sent
from user_service.users.apis import examples
from user_service.users.bodies import DeviceBody
from user_service.users.selectors import find_user
from user_service.users.services.devices import DEVICES_MOST, delete_device, register_device
from user_service.users.shapes import DeletedDeviceShape, DeviceShape, show_device

_ERRORS = (
    (400, "missing_organization"),
    (401, "authentication_required"),
    (404, "user_not_found"),
)


class DeviceListCreateApi(OrganizationApi):
    """A user's devices, and new ones."""

    @extend_schema(
        operation_id="list_devices",
        summary="List a user's devices",
        description=f"All of them, the newest registration first; there are {DEVICES_MOST} at "
        "most.",
        tags=["devices"],
        parameters=[examples.USER_PATH],
        responses={
            200: answer(
                list[DeviceShape],
                "The devices",
                example=enveloped([examples.DEVICE], "Devices retrieved"),
            ),
            **error_answers(*_ERRORS),
        },
    )
    def get(self, request: Request, identifier: str) -> Response:
        """All devices of the user."""
        user = find_user(organization_of(request), identifier)
        shown = [show_device(device) for device in user.devices.all()]
        meta = page_meta(total=len(shown), limit=max(len(shown), 1), page=1)
        return success(shown, "Devices retrieved", meta=meta)

    @extend_schema(
        operation_id="register_device",
        summary="Register a device",
        description="Safe to repeat: an app does it at every start. A token belongs to one user of "
        "the organization, the last who registered it. A user's oldest device goes when there "
        f"are more than {DEVICES_MOST}.",
        tags=["devices"],
        parameters=[examples.USER_PATH],
        request=request_body(DeviceBody),
        examples=[
            sent("Android", {"platform": "fcm", "token": examples.DEVICE["token"]}),
            sent("iPhone", {"platform": "apns", "token": "0f" * 32}),
            sent(
                "Browser",
                {
                    "platform": "webpush",
                    "token": '{"endpoint":"https://push.example.com/send/abc",'
                    '"keys":{"p256dh":"BNcRd…","auth":"tBHI…"}}',
                },
            ),
        ],
        responses={
            200: answer(
                DeviceShape,
                "The user had it already; the registration is renewed",
                example=enveloped(examples.DEVICE, "Device registered"),
            ),
            201: answer(
                DeviceShape,
                "The device is new to the user",
                example=enveloped(examples.DEVICE, "Device registered"),
            ),
            **error_answers(
                (400, "invalid_json"),
                (400, "missing_fields"),
                (400, "validation_error"),
                *_ERRORS,
            ),
        },
    )
    def post(self, request: Request, identifier: str) -> Response:
        """The device."""
        body = parse_body(request, DeviceBody)
        device, is_new = register_device(organization_of(request), identifier, body)
        return success(show_device(device), "Device registered", status=201 if is_new else 200)


class DeviceDeleteApi(OrganizationApi):
    """One device."""

    @extend_schema(
        operation_id="delete_device",
        summary="Delete a device",
        description="As when the user logs out of the app.",
        tags=["devices"],
        parameters=[examples.USER_PATH, examples.DEVICE_PATH],
        responses={
            200: answer(
                DeletedDeviceShape,
                "The device was deleted",
                example=enveloped({"device_id": examples.DEVICE_ID}, "Device deleted"),
            ),
            **error_answers(*_ERRORS, (404, "device_not_found")),
        },
    )
    def delete(self, request: Request, identifier: str, device_id: str) -> Response:
        """The id of what was deleted."""
        delete_device(organization_of(request), identifier, device_id)
        return success(DeletedDeviceShape(device_id), "Device deleted")
