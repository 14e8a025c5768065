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

from apps.shops.asking import member_of_request, person_of
from apps.shops.models import Member, Person, Seller, Shop


class OwnForm(forms.ModelForm):
    """A person, and with it the shop they chose at the seller they work with now."""

    class Meta:
        model = Person
        fields = ["language", "active_seller"]
        widgets = {"language": UnfoldAdminSelectWidget(), "active_seller": UnfoldAdminSelectWidget()}

    def __init__(self, *args: Any, member: Member | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.member = member
        sellers: Any = self.fields["active_seller"]
        sellers.queryset = Seller.objects.filter(members__person=self.instance)
        if member:
            choice: Any = Member._meta.get_field("active_shop")
            shops = Shop.objects.of(member.seller).filter(is_active=True)
            self.fields["active_shop"] = choice.formfield(
                queryset=shops, initial=member.active_shop_id, widget=UnfoldAdminSelectWidget()
            )

    def save(self, commit: bool = True) -> Person:
        person: Person = super().save(commit)
        if self.member and "active_shop" in self.data:  # who only changes the seller says nothing of the shop
            self.member.active_shop = self.cleaned_data["active_shop"]
            self.member.save(update_fields=["active_shop"])
        return person


def _way_back(request: HttpRequest) -> str:
    """The page here that sent the person, or this one."""
    address = request.POST.get("next", "")
    return address if url_has_allowed_host_and_scheme(address, {request.get_host()}) else reverse("my-settings")


def my_settings(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    if person is None:
        raise Http404
    form = OwnForm(request.POST or None, instance=person, member=member_of_request(request))
    if form.is_valid():
        form.save()
        with translation.override(person.language):
            messages.success(request, _("Saved."))
        return redirect(_way_back(request))
    return TemplateResponse(
        request, "admin/own_page.html", {**admin.site.each_context(request), "title": _("My settings"), "form": form}
    )
