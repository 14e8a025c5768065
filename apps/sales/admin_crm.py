"""What a CRM's shop says of its sources, managers and buyers, and how its books compare with the CRM's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from apps.common import clock, formats
from apps.common.encrypted import Secret
from apps.sales import buyers
from apps.sales.models import Buyer, DayCheck, ExpenseType, Manager, ManagerPeriod, MissingOrder, Order, Source
from apps.sales.sales_type import reclassify
from apps.shops.admin_buttons import button
from apps.shops.asking import permitted, person_of
from apps.shops.roles import Action
from apps.shops.scoped_admin import ScopedAdmin, ScopedInline
from apps.shops.typed_unfold import Fieldsets, display

HIDDEN = "•••"
COMPARED = {
    "order": gettext_lazy("order"),
    "status": gettext_lazy("status"),
    "day": gettext_lazy("day"),
    "total": gettext_lazy("total"),
    "lines": gettext_lazy("order lines"),
    "expenses": gettext_lazy("expenses"),
}
"""What days are compared by, as `day_checks.Side` names it; "order" is an order that one side does not have."""
ROLE_COLORS = {"sales": "success", "exhibition": "info", "history": "warning", "": "danger"}


class SourceAdmin(ScopedAdmin[Source]):
    """The CRM names them; what they count as is said here, and holds for all their orders at once."""

    list_display = ["name", "external_id", "currency", "counts_as", "shop"]
    list_select_related = ["shop"]
    list_filter = ["shop", "role"]
    search_fields = ["name", "=external_id"]
    fields = ["shop", "external_id", "name", "currency", "role"]
    readonly_fields = ["shop", "external_id", "name", "currency"]
    change_action = Action.MANAGE

    @display(description=gettext_lazy("counts as"), label=ROLE_COLORS, ordering="role")
    def counts_as(self, source: Source) -> tuple[str, str]:
        return source.role, source.get_role_display()

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "role" in form.changed_data:
            reclassify(obj.shop)


class ManagerPeriodInline(ScopedInline[ManagerPeriod]):
    model = ManagerPeriod
    fields = ["sales_type", "starts_on", "ends_on"]
    add_action = change_action = delete_action = Action.MANAGE


class ManagerAdmin(ScopedAdmin[Manager]):
    """What a manager sells is dated, so that a change of work leaves the past as it was."""

    list_display = ["name", "external_id", "sells_now", "shop"]
    list_select_related = ["shop"]
    list_filter = ["shop"]
    search_fields = ["name", "=external_id"]
    fields = ["shop", "external_id", "name"]
    readonly_fields = ["shop", "external_id", "name"]
    inlines = [ManagerPeriodInline]
    change_action = Action.MANAGE

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("periods")

    @display(description=gettext_lazy("sells"))
    def sells_now(self, manager: Manager) -> str:
        periods = list(manager.periods.all())
        return ", ".join(period.get_sales_type_display() for period in periods) or _("not said yet")

    def save_related(self, request: HttpRequest, form: Any, formsets: Sequence[Any], change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if any(formset.has_changed() for formset in formsets):
            reclassify(form.instance.shop)


class ExpenseTypeAdmin(ScopedAdmin[ExpenseType]):
    view_action = Action.SEE_PROFIT
    list_display = ["name", "alias", "external_id", "shop"]
    list_select_related = ["shop"]
    list_filter = ["shop"]
    search_fields = ["name", "alias"]


class BuyerAdmin(ScopedAdmin[Buyer]):
    """Who a buyer is, is shown whole only on their own page, and there only to those who manage the shop."""

    list_display = ["external_id", "masked_name", "masked_phone", "masked_email", "erased_at", "shop"]
    list_select_related = ["shop"]
    list_filter = ["shop"]
    search_fields = ["=external_id"]
    search_help_text = gettext_lazy("A whole phone number, a whole e-mail address, or a number in the CRM.")
    readonly_fields = ["masked_name", "masked_phone", "masked_email", "whole_name", "whole_phone", "whole_email"]
    actions_detail = ["erase"]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return (buyers.search(queryset, search_term.strip()), False) if search_term.strip() else (queryset, False)

    def get_fieldsets(self, request: HttpRequest, obj: Buyer | None = None) -> Fieldsets:
        kind = "whole" if permitted(request, Action.MANAGE) else "masked"
        who = [f"{kind}_{field}" for field in ("name", "phone", "email")]
        return [(None, {"fields": ["shop", "external_id", *who, "erased_at"]})]

    def has_erase_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return permitted(request, Action.MANAGE)

    @button(
        gettext_lazy("Erase"),
        question=gettext_lazy("Erase this buyer?"),
        consequence=gettext_lazy(
            "The name, the phone and the e-mail are forgotten for good, and no later sync brings them back. The orders "
            "stay, as those of a nameless buyer."
        ),
        permission="erase",
        icon="person_off",
        variant=ActionVariant.DANGER,
    )
    def erase(self, request: HttpRequest, buyer: Buyer, form: BaseDialogForm) -> None:
        buyers.erase(buyer=buyer, by=person_of(request), now=clock.now())
        self.message_user(request, _("The buyer is erased."))

    @display(description=gettext_lazy("full name"))
    def masked_name(self, buyer: Buyer) -> str:
        name = _told(buyer.name)
        return f"{name[0]}{HIDDEN}" if name else "—"

    @display(description=gettext_lazy("phone"))
    def masked_phone(self, buyer: Buyer) -> str:
        phone = _told(buyer.phone)
        return f"{HIDDEN}{phone[-3:]}" if len(phone) > 6 else "—"

    @display(description=gettext_lazy("e-mail"))
    def masked_email(self, buyer: Buyer) -> str:
        name, at, domain = _told(buyer.email).partition("@")
        return f"{name[:1]}{HIDDEN}@{domain}" if at else "—"

    @display(description=gettext_lazy("full name"))
    def whole_name(self, buyer: Buyer) -> str:
        return _told(buyer.name) or "—"

    @display(description=gettext_lazy("phone"))
    def whole_phone(self, buyer: Buyer) -> str:
        return _told(buyer.phone) or "—"

    @display(description=gettext_lazy("e-mail"))
    def whole_email(self, buyer: Buyer) -> str:
        return _told(buyer.email) or "—"


class MissingOrderAdmin(ScopedAdmin[MissingOrder]):
    list_display = ["external_id", "reason", "looked_at", "look_again_on", "shop"]
    list_select_related = ["shop"]
    list_filter = ["shop"]
    search_fields = ["=external_id"]


class DayCheckAdmin(ScopedAdmin[DayCheck]):
    """Every night the last thirty days are compared, order by order, and stored as the CRM has them."""

    list_display = ["day", "in_crm", "in_books", "difference", "repaired", "compared", "shop"]
    exported: ClassVar = {"in_crm": "source_total", "in_books": "stored_total", "compared": "checked_at"}
    list_select_related = ["shop"]
    list_filter = ["shop"]
    date_hierarchy = "day"
    fields = [
        *("shop", "day", ("source_orders", "source_total"), ("found_orders", "found_total")),
        *(("stored_orders", "stored_total"), "set_right", "compared"),
    ]
    readonly_fields = ["set_right", "compared"]

    @display(description=gettext_lazy("compared at"), ordering="checked_at")
    def compared(self, check: DayCheck) -> str:
        return formats.moment(clock.business_time(check.checked_at), check.shop.timezone)

    @display(description=gettext_lazy("in the CRM"), ordering="source_total")
    def in_crm(self, check: DayCheck) -> str:
        return _orders(check.source_orders, formats.money(check.source_total, check.shop.currency))

    @display(description=gettext_lazy("in the books"), ordering="stored_total")
    def in_books(self, check: DayCheck) -> str:
        return _orders(check.stored_orders, formats.money(check.stored_total, check.shop.currency))

    @display(description=gettext_lazy("difference"), label={"none": "success", "some": "danger"})
    def difference(self, check: DayCheck) -> tuple[str, str]:
        left = check.source_total - check.stored_total
        if not left and check.source_orders == check.stored_orders:
            return "none", _("none")
        return "some", formats.money(left, check.shop.currency)

    @display(description=gettext_lazy("set right"))
    def repaired(self, check: DayCheck) -> str:
        return str(len(check.differences) or "—")

    @display(description=gettext_lazy("set right: in the CRM, and in the books before"))
    def set_right(self, check: DayCheck) -> SafeString | str:
        lines = [
            (one["order"], COMPARED[one["field"]], *(_side(one["field"], one[side]) for side in ("source", "stored")))
            for one in check.differences
        ]
        return format_html_join(mark_safe("<br>"), "№ {}, {}: {} · {}", lines) or "—"


def _told(secret: Secret | None) -> str:
    return secret.reveal() if secret else ""


def _side(field: str, said: str) -> str:
    return str(Order.Status(said).label) if field == "status" and said else said or "—"


def _orders(count: int, money: str) -> str:
    return f"{count} · {money}"
