"""Routes of templates."""

from django.urls import path

from template_service.templates.apis.internal import TemplateRecordApi
from template_service.templates.apis.templates import TemplateDetailApi, TemplateListCreateApi
from template_service.templates.apis.versions import (
    TemplateDiffApi,
    TemplateLintApi,
    TemplatePreviewApi,
    TemplatePublishApi,
    TemplateRollbackApi,
    TemplateVersionsApi,
)

_TEMPLATES = "api/v1/templates/"
_TEMPLATE = f"{_TEMPLATES}<str:code>/"

urlpatterns = [
    path(_TEMPLATES, TemplateListCreateApi.as_view()),
    path(_TEMPLATE, TemplateDetailApi.as_view()),
    path(f"{_TEMPLATE}publish/", TemplatePublishApi.as_view()),
    path(f"{_TEMPLATE}rollback/", TemplateRollbackApi.as_view()),
    path(f"{_TEMPLATE}versions/", TemplateVersionsApi.as_view()),
    path(f"{_TEMPLATE}diff/", TemplateDiffApi.as_view()),
    path(f"{_TEMPLATE}preview/", TemplatePreviewApi.as_view()),
    path(f"{_TEMPLATE}lint/", TemplateLintApi.as_view()),
    path("internal/templates/<str:code>/", TemplateRecordApi.as_view()),
]
