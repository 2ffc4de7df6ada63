"""What may be asked for, and what is answered."""

from rest_framework import serializers

from recipe.models import Notification


class NotifySerializer(serializers.Serializer):
    """One notification."""

    channel = serializers.ChoiceField(["email", "sms", "whatsapp", "push"])
    to = serializers.EmailField(max_length=255)
    template = serializers.CharField(max_length=255)
    data = serializers.DictField(default=dict)


class BulkSerializer(serializers.Serializer):
    """One message to many."""

    channel = serializers.ChoiceField(["email", "sms", "whatsapp", "push"])
    recipients = serializers.ListField(child=serializers.EmailField(), max_length=10_000)
    template = serializers.CharField(max_length=255)
    data = serializers.DictField(default=dict)


class NotificationSerializer(serializers.ModelSerializer):
    """A notification as its tenant sees it."""

    class Meta:
        model = Notification
        fields = ("id", "status", "channel", "to", "created_at")
