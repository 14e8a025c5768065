"""The admin as tests walk it: every page, every action, whatever is registered."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from apps.shops.models import AuditEntry, Member, Seller
from apps.shops.scoped_admin import ScopedAdmin

PAGES: list[tuple[type[Model], Any]] = sorted(admin.site._registry.items(), key=lambda item: item[0]._meta.label)
SCOPED = [model for model, page in PAGES if isinstance(page, ScopedAdmin)]
OTHERS = [model for model, page in PAGES if not isinstance(page, ScopedAdmin)]
ACTIONS = [(model, name) for model, page in PAGES for name in (*page.actions, "delete_selected")]
BUTTONS = [(model, button.action_name) for model, page in PAGES for button in page._get_base_actions_detail()]
UNWATCHED = {"logs", "django_session", "django_admin_log"}


def label(value: object) -> str:
    return value._meta.label_lower if isinstance(value, type) and issubclass(value, Model) else str(value)


def url(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def client_of(member: Member) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(member.person.user)
    return client


def listed(member: Member, model: type[Model], **query: str) -> Any:
    """What a list holds when it is asked so, without the page around it."""
    request = RequestFactory().get(url(model, "changelist"), query)
    request.user = member.person.user
    return dict(PAGES)[model].get_changelist_instance(request)


def request_of(member: Member) -> Any:
    request = RequestFactory().get("/")
    request.user = member.person.user
    return request


def row_of(model: Any, seller: Seller) -> Any:
    """One of the seller's rows, the newest; of a model without an owner just one, when there is any."""
    rows = model._default_manager.all()
    path = getattr(model, "seller_path", None)
    row = (rows.filter(**{path: seller.pk}) if path else rows).order_by("-pk").first()
    assert row is not None, f"{seller} has no {model._meta.label}: add one to fill.py"
    return row


def refusals(of: Member) -> int:
    """Audit rows that tell of this person being refused."""
    return AuditEntry.objects.filter(actor=of.person, action__endswith=".refused").count()


def writes() -> dict[str, int]:
    """How many rows of each table this transaction has written so far; the audit trail and sessions do not count."""
    with connection.cursor() as cursor:
        cursor.execute("select relname, n_tup_ins + n_tup_upd + n_tup_del from pg_stat_xact_user_tables")
        return {table: count for table, count in cursor.fetchall() if count and table not in UNWATCHED}
