"""The one base of every page of the admin: a person sees and touches only what belongs to their seller.

Rights come from the member's role, not from Django's permissions. A superuser keeps the installation and sees all.
What is not there, and what is another seller's, both answer 404; every refusal leaves an audit row (`middleware.py`),
and so does every row that is created, changed or removed here, in the transaction of the change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import flatten, get_fields_from_path, unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Field, ForeignKey, ManyToManyField, Model, QuerySet
from django.db.models.fields.related import RelatedField
from django.forms import BaseModelForm, ModelChoiceField, ModelMultipleChoiceField
from django.forms import Field as FormField
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apps.common.encrypted import SecretField
from apps.common.errors import UserError
from apps.shops.admin_export import ExportedList
from apps.shops.admin_saved import SavedFilters
from apps.shops.asking import is_superuser, permitted, person_of, require_member, visible
from apps.shops.audit import record
from apps.shops.keyed_pages import KeyedPaginator
from apps.shops.models import Member, Seller, Shop
from apps.shops.roles import Action
from apps.shops.scoping import seller_id_of
from apps.shops.typed_unfold import BaseModelAdmin, ListFilter, Row, RowAction, StackedInline, TabularInline

Context = dict[str, Any] | None
REAL_TIME = gettext_lazy("Times here are real ones, whatever the clock of a demo says.")


class ScopedFilter(admin.RelatedFieldListFilter):
    """A filter by a related row offers what the person may know of. Which of it the list holds is not asked: that would
    read the whole list for each page."""

    def field_choices(self, field: RelatedField, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[Any]:
        rows = visible(request, field.remote_field.model._default_manager.select_related())  # their names may need it
        ordering = self.field_admin_ordering(field, request, model_admin)
        return [(row.pk, str(row)) for row in (rows.order_by(*ordering) if ordering else rows)]


class _Fields(BaseModelAdmin[Row]):
    """A choice of a row is a choice, without doors to the row's own pages beside it."""

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> FormField | None:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field


class _Scope(_Fields[Row]):
    """What pages and inlines of sellers share. `*_action` None forbids it to everybody."""

    view_action: ClassVar[Action | None] = Action.VIEW
    add_action: ClassVar[Action | None] = None
    change_action: ClassVar[Action | None] = None
    delete_action: ClassVar[Action | None] = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Row]:
        return visible(request, super().get_queryset(request))

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        return super().formfield_for_foreignkey(db_field, request, **self._scoped(db_field, request, kwargs))

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField | None:
        return super().formfield_for_manytomany(db_field, request, **self._scoped(db_field, request, kwargs))

    def _scoped(self, db_field: RelatedField, request: HttpRequest, kwargs: dict[str, Any]) -> dict[str, Any]:
        choices = kwargs.get("queryset", db_field.remote_field.model._default_manager.all())
        return {**kwargs, "queryset": visible(request, choices)}

    def has_view_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return permitted(request, self.view_action) or self.has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return permitted(request, self.add_action)

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return permitted(request, self.change_action)

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return permitted(request, self.delete_action)


class _Page(_Fields[Row], ExportedList[Row], SavedFilters[Row]):
    """What all pages share, a seller's and the installation's: refusing, the audit trail, the list as a file, its saved
    filters.

    `audit_name` is the first part of the name of their audit rows, the model's name when it is empty; None where the
    function that a page calls leaves the row. `list_note` is said above the list.
    """

    audit_name: ClassVar[str | None] = ""
    list_note: ClassVar[str | Promise] = ""
    list_per_page = 50
    paginator = KeyedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each count would read the whole list
    view_on_site = False
    warn_unsaved_form = True

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_list_filter(self, request: HttpRequest) -> list[ListFilter]:
        """A plain name of a related field would offer the rows of every seller."""
        return [self._scoped_filter(item) for item in super().get_list_filter(request)]

    def _scoped_filter(self, item: ListFilter) -> ListFilter:
        if isinstance(item, str) and get_fields_from_path(self.model, item)[-1].is_relation:
            return (item, ScopedFilter)
        return item

    def changelist_view(self, request: HttpRequest, extra_context: Context = None) -> HttpResponse:
        if request.method == "POST" and "action" in request.POST:
            self._check_action(request)
        return super().changelist_view(request, extra_context)

    def _check_action(self, request: HttpRequest) -> None:
        """Django would pass over an action that is not allowed, and over rows that are not there, without a word."""
        if set(request.POST.getlist("action")) - {"", *self.get_actions(request)}:
            raise PermissionDenied
        try:
            chosen = {self.opts.pk.to_python(key) for key in request.POST.getlist(ACTION_CHECKBOX_NAME)}
        except ValidationError as error:
            raise Http404 from error
        if self.get_queryset(request).filter(pk__in=chosen).count() < len(chosen):
            raise Http404

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Context = None
    ) -> HttpResponse:
        self._check_known(request, object_id)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Context = None) -> HttpResponse:
        self._check_known(request, object_id)
        return super().delete_view(request, object_id, extra_context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Context = None) -> HttpResponse:
        self._check_known(request, object_id)
        return super().history_view(request, object_id, extra_context)

    def get_unfold_action(self, action: str) -> RowAction:
        """Actions on a row have addresses of their own."""
        found = super().get_unfold_action(action)

        @wraps(found.method)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            self._check_known(request, kwargs.get("object_id"))
            return found.method(request, *args, **kwargs)

        return replace(found, method=checked)

    def _check_known(self, request: HttpRequest, object_id: str | None) -> None:
        """Before any question of rights: what is not there, or not theirs, is not there."""
        if object_id is not None and self.get_object(request, unquote(object_id)) is None:
            raise Http404

    def save_model(self, request: HttpRequest, obj: Row, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.has_changed() or not change:
            self.audit(request, obj, "changed" if change else "created", changes=changes(form, is_new=not change))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        for row_form in formset.forms:
            if row_form in formset.deleted_forms:
                self.audit(request, row_form.instance, "removed", seller_id=seller_id_of(form.instance))
            elif row_form.has_changed():
                is_new = row_form in formset.extra_forms
                verb = "created" if is_new else "changed"
                self.audit(request, row_form.instance, verb, changes=changes(row_form, is_new=is_new))

    def delete_model(self, request: HttpRequest, obj: Row) -> None:
        self.audit(request, obj, "removed", was=str(obj))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Row]) -> None:
        with transaction.atomic():
            for row in queryset:
                self.delete_model(request, row)

    def audit(self, request: HttpRequest, row: Model, verb: str, *, seller_id: int | None = None, **data: Any) -> None:
        if self.audit_name is None:
            return
        shop = row if isinstance(row, Shop) else getattr(row, "shop", None)
        seller = Seller.objects.filter(pk__in=[seller_id or seller_id_of(row)]).first()
        noun = self.audit_name if self.audit_name and isinstance(row, self.model) else row._meta.model_name
        record(f"{noun}.{verb}", actor=person_of(request), seller=seller, shop=shop, subject=row, **data)

    def decide(self, request: HttpRequest, done: str, decision: Callable[[Member], object]) -> bool:
        """Run one decision in the person's name; what forbids it is shown as a message."""
        try:
            decision(require_member(request))
        except UserError as error:
            self.message_user(request, str(error), messages.ERROR)
            return False
        self.message_user(request, done, messages.SUCCESS)
        return True


class ScopedAdmin(_Scope[Row], _Page[Row]):
    """A page of what belongs to sellers. Read-only unless a subclass names the action that a change needs."""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Context = None
    ) -> HttpResponse:
        """A link in a chat leads here whichever of their sellers the person works with now."""
        seller = self._other_seller(request, object_id)
        if seller is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        context = {**self.admin_site.each_context(request), "title": seller.name, "seller": seller}
        return TemplateResponse(request, "admin/other_seller.html", {**context, "person": person_of(request)})

    def _other_seller(self, request: HttpRequest, object_id: str | None) -> Seller | None:
        """Whose row it is, when that is another seller of the person's than the one they work with now."""
        person = person_of(request)
        if object_id is None or person is None or self.get_object(request, unquote(object_id)) is not None:
            return None
        rows = self.model._base_manager.filter(pk=self._key(object_id))
        sellers = Seller.objects.filter(members__person=person)
        path: str = self.model.seller_path  # type: ignore[attr-defined]  # every model with such a page has it
        return sellers.filter(pk__in=rows.values(path)).first()

    def _key(self, object_id: str) -> Any:
        """None for what cannot be the key of a row."""
        try:
            return self.opts.pk.to_python(unquote(object_id))
        except ValidationError:
            return None


class ScopedInline(_Scope[Row], TabularInline[Row]):
    extra = 0
    per_page = 20
    hide_title = True


class OneInline(_Scope[Row], StackedInline[Row]):
    """The one row that belongs to the page's own: its form, empty while there is none."""

    extra = max_num = 1
    hide_title = True


class HistoryInline(ScopedInline[Row]):
    """Rows that came about by themselves, to look at."""

    max_num = 0

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return flatten(self.fields or [])


class SuperuserOnly(_Page[Row]):
    """A page of the installation itself: the timetable, logins, the inbox. To others its rows are not there."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Row]:
        found = super().get_queryset(request)
        return found if is_superuser(request) else found.none()

    def has_view_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return is_superuser(request)

    def has_add_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return is_superuser(request)


def changes(form: BaseModelForm, *, is_new: bool = False) -> dict[str, Any]:
    """What a form has changed, or says of a new row, as [before, after]; of what is secret only the name."""
    fields = {field.name: field for field in form._meta.model._meta.fields if not field.primary_key}
    told = [name for name in form.cleaned_data if name in form.changed_data or (is_new and name in fields)]
    return {
        name: [_said(form.initial.get(name)), _said(form.cleaned_data[name])]
        if name in fields and not isinstance(fields[name], SecretField)
        else "changed"
        for name in told
    }


def _said(value: Any) -> str | None:
    if value is None:
        return None
    return str(value.pk if isinstance(value, Model) else value)
