"""Routes of dead letters."""

from django.urls import path

from gateway.deliveries.apis.dead_letters import DeadLettersApi
from gateway.deliveries.apis.replays import DeadLetterReplayApi, DeadLettersReplayApi

urlpatterns = [
    path("api/v1/dead-letters/", DeadLettersApi.as_view()),
    path("api/v1/dead-letters/replay/", DeadLettersReplayApi.as_view()),
    path("api/v1/dead-letters/<str:dead_letter_id>/replay/", DeadLetterReplayApi.as_view()),
]
