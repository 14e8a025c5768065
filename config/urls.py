"""Addresses of the web process."""

from django.contrib import admin
from django.urls import path, re_path
from django.views.generic import RedirectView

from apps.backoffice.crm_push import keycrm_push
from apps.backoffice.own_page import my_settings
from apps.backoffice.push import ozon_push
from apps.dashboard.api import api, nowhere
from apps.dashboard.own_tokens import my_tokens
from config.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("api/", api.urls),
    re_path("^api/", nowhere),
    path("push/ozon/<int:shop_id>/<str:secret>", ozon_push, name="ozon-push"),
    path("push/keycrm/<int:shop_id>/<str:secret>", keycrm_push, name="keycrm-push"),
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/me/", admin.site.admin_view(my_settings), name="my-settings"),
    path("admin/me/tokens/", admin.site.admin_view(my_tokens), name="my-tokens"),
    path("admin/", admin.site.urls),
]
