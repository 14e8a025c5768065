"""The page where everybody settles what is theirs alone: the language, the seller and the shop they work with."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminSelectWidget

from apps.shops.asking import person_of
from apps.shops.models import Person, Seller, Shop


class OwnForm(forms.ModelForm):
    class Meta:
        model = Person
        fields = ["language", "active_seller", "active_shop"]
        widgets = {name: UnfoldAdminSelectWidget() for name in fields}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sellers: Any = self.fields["active_seller"]
        sellers.queryset = Seller.objects.filter(members__person=self.instance)
        shops: Any = self.fields["active_shop"]
        shops.queryset = Shop.objects.filter(seller__in=sellers.queryset, is_active=True).select_related("seller")
        shops.label_from_instance = lambda shop: f"{shop} ({shop.seller})"


def _way_back(request: HttpRequest) -> str:
    """The page here that sent the person, or this one."""
    address = request.POST.get("next", "")
    return address if url_has_allowed_host_and_scheme(address, {request.get_host()}) else reverse("my-settings")


def my_settings(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    if person is None:
        raise Http404
    form = OwnForm(request.POST or None, instance=person)
    if form.is_valid():
        form.save()
        with translation.override(person.language):
            messages.success(request, _("Saved."))
        return redirect(_way_back(request))
    return TemplateResponse(
        request, "admin/own_page.html", {**admin.site.each_context(request), "title": _("My settings"), "form": form}
    )
