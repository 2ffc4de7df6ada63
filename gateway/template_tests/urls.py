"""Routes of test sends."""

from django.urls import path

from gateway.template_tests.apis import TemplateTestSendApi

urlpatterns = [
    path("api/v1/templates/<str:code>/test-send/", TemplateTestSendApi.as_view()),
]
