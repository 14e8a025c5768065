"""The page where everybody makes and revokes their own API tokens."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.common.clock import real_now
from apps.dashboard.models import ApiToken
from apps.dashboard.tokens import issue_token, revoke_token
from apps.shops.asking import member_of_request
from apps.shops.models import Member

LIVES = [(days, ngettext_lazy("%(days)s day", "%(days)s days", "days") % {"days": days}) for days in (30, 90, 365)]


class TokenForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("What it is for"),
        max_length=100,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    scope = forms.ChoiceField(
        label=gettext_lazy("It may"),
        choices=ApiToken.Scope.choices,
        widget=UnfoldAdminSelectWidget(choices=[]),
        help_text=gettext_lazy("What you may see, it may read. It approves nothing, whatever your role."),
    )
    days = forms.TypedChoiceField(
        label=gettext_lazy("It expires after"), choices=LIVES, coerce=int, widget=UnfoldAdminSelectWidget(choices=[])
    )


def my_tokens(request: HttpRequest) -> HttpResponse:
    member = member_of_request(request)
    if member is None:
        raise Http404
    if "revoke" in request.POST:
        return _revoke(request, member)
    form = TokenForm(request.POST or None)
    if form.is_valid():
        return _issue(request, member, form)
    tokens = [(token, token.is_open(real_now())) for token in member.api_tokens.all()]
    context = {**admin.site.each_context(request), "title": _("My API tokens"), "form": form, "tokens": tokens}
    return TemplateResponse(request, "admin/own_tokens.html", context)


def _issue(request: HttpRequest, member: Member, form: TokenForm) -> HttpResponse:
    """The text is in this one answer alone, which no browser keeps: no message, no session, no log holds it."""
    given = form.cleaned_data
    token, text = issue_token(
        member=member, name=given["name"], scope=given["scope"], life=timedelta(days=given["days"]), now=real_now()
    )
    context = {**admin.site.each_context(request), "title": _("My API tokens"), "token": token, "text": text}
    return TemplateResponse(request, "admin/own_token.html", context)


def _revoke(request: HttpRequest, member: Member) -> HttpResponse:
    key = request.POST["revoke"]
    token = member.api_tokens.filter(pk=key).first() if key.isascii() and key.isdigit() and len(key) < 19 else None
    if token is None:
        raise Http404
    revoke_token(token=token, by=member.person, now=real_now())
    messages.success(request, _("Revoked: a program that holds this token is refused from now on."))
    return redirect("my-tokens")
