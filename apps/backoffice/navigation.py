"""The sidebar: what there is, in the groups that people think in. Everybody sees of it what they may open."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

Page = tuple[str, str]
"""A model, by its label or by the name of its page, and its icon: a name of Material Symbols."""

TIMETABLE: Page = ("jobs.timetable", "calendar_clock")

GROUPS: tuple[tuple[str | Promise, tuple[Page, ...]], ...] = (
    (
        _("Decisions"),
        (
            ("decisions.proposal", "rule"),
            ("decisions.command", "send"),
            ("experiments.experiment", "science"),
            ("decisions.decisionrules", "groups"),
            ("shops.killswitch", "dangerous"),
        ),
    ),
    (
        _("Goods"),
        (
            ("catalog.product", "inventory_2"),
            ("catalog.cost", "sell"),
            ("catalog.costimport", "upload_file"),
            ("catalog.settingsimport", "rule_settings"),
            ("inventory.lowstock", "production_quantity_limits"),
            ("catalog.stocksnapshot", "warehouse"),
            ("catalog.pricechange", "price_change"),
            ("catalog.promotion", "percent"),
            ("pricing.pricingsettings", "tune"),
        ),
    ),
    (
        _("Sales"),
        (
            ("sales.order", "shopping_cart"),
            ("sales.return", "assignment_return"),
            ("sales.dailyfact", "calendar_month"),
            ("sales.accrual", "payments"),
            ("sales.buyer", "person"),
            ("sales.source", "storefront"),
            ("sales.manager", "support_agent"),
            ("sales.expensetype", "receipt"),
            ("sales.daycheck", "fact_check"),
            ("sales.missingorder", "search_off"),
        ),
    ),
    (
        _("Clockwork"),
        (TIMETABLE, ("jobs.jobrun", "history"), ("jobs.syncrun", "sync"), ("notifications.outboxmessage", "outbox")),
    ),
    (
        _("The business"),
        (
            ("shops.seller", "business_center"),
            ("shops.shop", "storefront"),
            ("shops.crmrules", "rule_settings"),
            ("shops.credential", "key"),
            ("shops.member", "group"),
            ("dashboard.apitoken", "vpn_key"),
            ("dashboard.milestones", "flag"),
            ("shops.auditentry", "receipt_long"),
        ),
    ),
    (
        _("The installation"),
        (
            ("django_celery_beat.periodictask", "schedule"),
            ("django_celery_beat.crontabschedule", "alarm"),
            ("django_celery_beat.intervalschedule", "timer"),
            ("bots.telegramupdate", "inbox"),
            ("auth.user", "login"),
            ("shops.person", "badge"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups and pages in unfold's form."""
    start = {"title": _("Overview"), "icon": "dashboard", "link": reverse("admin:index")}
    groups = [
        {"title": title, "items": [item for page in pages for item in _items(request, page)]} for title, pages in GROUPS
    ]
    return [{"items": [start]}, *groups]


def _items(request: HttpRequest, page: Page) -> list[dict[str, Any]]:
    """The page's item; nothing for who may not open it."""
    label, icon = page
    timetable = reverse("admin:jobs_timetable")
    if page == TIMETABLE:
        return [{"title": _("Timetable"), "icon": icon, "link": timetable}]
    model = apps.get_model(label)
    if not admin.site.get_model_admin(model).has_module_permission(request):
        return []
    link = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    is_here = request.path.startswith(link) and request.path != timetable
    return [{"title": capfirst(model._meta.verbose_name_plural), "icon": icon, "link": link, "active": is_here}]
