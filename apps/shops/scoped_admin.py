"""The one base of every page of the admin: a person sees and touches only what belongs to their seller.

Rights come from the member's role, not from Django's permissions. A superuser keeps the installation and sees all.
What is not there, and what is another seller's, both answer 404 and leave an audit row.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.options import BaseModelAdmin
from django.db.models import Field, ForeignKey, ManyToManyField, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin, TabularInline

from apps.common.errors import Denied, UserError
from apps.shops.audit import record
from apps.shops.models import Member, Person, Seller, active_member
from apps.shops.roles import Action, may


def person_of(request: HttpRequest) -> Person | None:
    return Person.objects.filter(user=request.user.pk).first() if request.user.is_authenticated else None


def member_of_request(request: HttpRequest) -> Member | None:
    """Who is asking, at the seller they work with; looked up once per request."""
    if not hasattr(request, "_member"):
        person = person_of(request)
        request._member = active_member(person) if person else None  # type: ignore[attr-defined]
    member: Member | None = request._member  # type: ignore[attr-defined]
    return member


def seller_of_request(request: HttpRequest) -> Seller | None:
    member = member_of_request(request)
    return member.seller if member else None


def require_member(request: HttpRequest) -> Member:
    """The member who decides. A superuser who belongs to no seller decides nothing. Raises `Denied`."""
    member = member_of_request(request)
    if member is None:
        raise Denied(_("You are not a member of a seller's team, so there is nothing for you to decide."))
    return member


def visible(request: HttpRequest, queryset: QuerySet) -> QuerySet:
    """Of any model's rows, those that this person may know of."""
    if request.user.is_superuser:
        return queryset
    seller = seller_of_request(request)
    path = getattr(queryset.model, "seller_path", None)
    if seller is None or path is None:
        return queryset.none()
    mine = queryset.model._default_manager.filter(**{path: seller}).values("pk")
    return queryset.filter(pk__in=mine)


class _Scope(BaseModelAdmin):
    """What pages and inlines share. `*_action` None forbids it to everybody."""

    view_action: ClassVar[Action | None] = Action.VIEW
    add_action: ClassVar[Action | None] = None
    change_action: ClassVar[Action | None] = None
    delete_action: ClassVar[Action | None] = None

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return visible(request, super().get_queryset(request))

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_foreignkey(db_field, request, **self._scoped(db_field, request, kwargs))

    def formfield_for_manytomany(self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, **self._scoped(db_field, request, kwargs))

    def _scoped(self, db_field: Field, request: HttpRequest, kwargs: dict[str, Any]) -> dict[str, Any]:
        choices = kwargs.get("queryset", db_field.related_model._default_manager.all())  # type: ignore[union-attr]
        return {**kwargs, "queryset": visible(request, choices)}

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._allowed(request, self.view_action) or self.has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._allowed(request, self.add_action)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._allowed(request, self.change_action)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._allowed(request, self.delete_action)

    def _allowed(self, request: HttpRequest, action: Action | None) -> bool:
        if action is None:
            return False
        return bool(request.user.is_superuser) or may(member_of_request(request), action)


class ScopedAdmin(_Scope, ModelAdmin):
    """Read-only unless a subclass names the action that a change needs."""

    list_per_page = 50
    show_full_result_count = False
    compressed_fields = True
    warn_unsaved_form = True

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Not a redirect but a 404. A response, not an exception: the page's transaction must keep the audit row."""
        record("admin.not_found", actor=person_of(request), subject=f"{opts.label_lower}:{object_id}"[:200])
        return HttpResponseNotFound(render_to_string("404.html", request=request))

    def decide(self, request: HttpRequest, done: str, decision: Any) -> bool:
        """Run one decision in the person's name; what forbids it is shown as a message."""
        try:
            decision(require_member(request))
        except UserError as error:
            self.message_user(request, str(error), messages.ERROR)
            return False
        self.message_user(request, done, messages.SUCCESS)
        return True


class ScopedInline(_Scope, TabularInline):
    extra = 0
    show_change_link = False


class SuperuserOnly(ModelAdmin):
    """Pages of the installation itself: the timetable, logins, the inbox."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_module_permission(request)
