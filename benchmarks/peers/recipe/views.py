"""Accepting notifications, one by one and in bulk."""

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recipe.models import Notification, Template
from recipe.serializers import BulkSerializer, NotificationSerializer, NotifySerializer
from recipe.tasks import send_notification


class NotifyApi(APIView):
    """One notification."""

    def post(self, request: Request) -> Response:
        """202 with the notification."""
        asked = NotifySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        template = find_template(request, **asked.validated_data)
        notification = Notification.objects.create(
            tenant=request.user,
            template=template,
            channel=asked.validated_data["channel"],
            to=asked.validated_data["to"],
            data=asked.validated_data["data"],
        )
        send_notification.delay(str(notification.id))
        return Response(NotificationSerializer(notification).data, status=202)


class BulkApi(APIView):
    """One message to many."""

    def post(self, request: Request) -> Response:
        """202 with how many were accepted."""
        asked = BulkSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        template = find_template(request, **asked.validated_data)
        for to in asked.validated_data["recipients"]:
            notification = Notification.objects.create(
                tenant=request.user,
                template=template,
                channel=asked.validated_data["channel"],
                to=to,
                data=asked.validated_data["data"],
            )
            send_notification.delay(str(notification.id))
        return Response({"accepted": len(asked.validated_data["recipients"])}, status=202)


def find_template(request: Request, *, channel: str, template: str, **_: object) -> Template:
    """The tenant's template of that name. Raises NotFound."""
    found = Template.objects.filter(
        tenant=request.user, name=template, channel=channel, is_active=True
    ).first()
    if found is None:
        raise NotFound("No such template")
    return found
