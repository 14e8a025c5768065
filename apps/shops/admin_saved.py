"""Every list of the admin keeps what a person looks for often: its filters, search and order, under a name."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IS_FACETS_VAR, IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, PAGE_VAR, SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from apps.shops.asking import seller_of_request
from apps.shops.models import SavedFilter
from apps.shops.typed_unfold import ModelAdmin, Row

PASSING = {ALL_VAR, ERROR_FLAG, IS_FACETS_VAR, IS_POPUP_VAR, PAGE_VAR, TO_FIELD_VAR}
"""Parts of a list's address that say how it is read now, not what it holds."""
TYPED = (SEARCH_VAR, "_from", "_to")
"""How the names of fields end that a form sends along when nothing is typed in them."""


class SavedFilterForm(forms.Form):
    name = forms.CharField(max_length=SavedFilter._meta.get_field("name").max_length)


class SavedFilters(ModelAdmin[Row]):
    """A list with links to what the person has saved of it: theirs alone, and of the seller they work with now."""

    list_before_template = "admin/saved_filters.html"

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        view = self.admin_site.admin_view
        return [
            path("saved/", view(self.save_filter_view), name=f"{name}_save_filter"),
            path("saved/<int:saved_id>/remove/", view(self.remove_filter_view), name=f"{name}_remove_filter"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        saved, query = list(self._saved_by(request)), kept(request.GET)
        is_new = query and query not in [one.query for one in saved]
        context = {"saved_filters": saved, "kept_query": query, "is_new_filter": is_new}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def save_filter_view(self, request: HttpRequest) -> HttpResponse:
        """Under a name that is taken the newer one stays."""
        if refusal := self._refusal(request):
            return refusal
        form, query = SavedFilterForm(request.POST), kept(request.GET)
        if not query:
            self.message_user(request, _("There is nothing to save: the list shows everything."), messages.ERROR)
        elif form.is_valid():
            self._saved_by(request).update_or_create(
                user_id=request.user.pk,
                seller=seller_of_request(request),
                page=self.opts.label_lower,
                name=form.cleaned_data["name"],
                defaults={"query": query},
            )
        else:
            self.message_user(request, " ".join(map(str, form.errors["name"])), messages.ERROR)
        return self._to_list(query)

    def remove_filter_view(self, request: HttpRequest, saved_id: int) -> HttpResponse:
        if refusal := self._refusal(request):
            return refusal
        removed, _by_model = self._saved_by(request).filter(pk=saved_id).delete()
        if not removed:
            raise Http404
        return self._to_list(request.GET.urlencode())

    def _saved_by(self, request: HttpRequest) -> QuerySet[SavedFilter]:
        return SavedFilter.objects.filter(
            user=request.user.pk, seller=seller_of_request(request), page=self.opts.label_lower
        )

    def _refusal(self, request: HttpRequest) -> HttpResponse | None:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return None if request.method == "POST" else HttpResponseNotAllowed(["POST"])

    def _to_list(self, query: str) -> HttpResponse:
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return redirect(f"{address}?{query}" if query else address)


def kept(asked: QueryDict) -> str:
    """What a list's address says of filters, search and order; the same is always written alike."""
    told = [(name, value) for name, values in asked.lists() if name not in PASSING for value in values]
    return urlencode(sorted((name, value) for name, value in told if value or not name.endswith(TYPED)))
