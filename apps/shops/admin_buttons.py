"""The buttons of a row's own page. Each asks first: what is about to happen stands in a dialog, beside the yes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from apps.shops.scoped_admin import ScopedAdmin
from apps.shops.typed_unfold import action

Deed = Callable[[Any, HttpRequest, Any, BaseDialogForm], None]
"""A method of a page, given the request, the row and what the dialog was answered with."""


def button(
    label: Promise,
    *,
    question: Promise,
    consequence: Promise,
    permission: str,
    icon: str,
    variant: ActionVariant = ActionVariant.DEFAULT,
    form_class: type[BaseDialogForm] = BaseDialogForm,
) -> Callable[[Deed], Callable[..., HttpResponse]]:
    """Make a method the deed of a button, for those who have `permission`; it ends where it began, on the row's page.

    `label` is on the button and on the dialog's yes, `icon` a name of Material Symbols.
    """

    def decorator(deed: Deed) -> Callable[..., HttpResponse]:
        @wraps(deed)
        def press(page: ScopedAdmin, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
            deed(page, request, page.get_queryset(request).get(pk=object_id), form)
            return _to_row(page, request, object_id)

        dialog = {
            "title": question,
            "description": consequence,
            "form_class": form_class,
            "form_submit_text": label,
        }
        as_action = action(description=label, permissions=[permission], icon=icon, variant=variant, dialog=dialog)
        return as_action(press)

    return decorator


def _to_row(page: ScopedAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """The dialog was sent by htmx, which follows a header of its own."""
    address = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_change", args=[object_id])
    return HttpResponse(headers={"HX-Redirect": address}) if "HX-Request" in request.headers else redirect(address)
