"""Django's and unfold's pages, generic in the model of their rows.

Django's own are generic in django-stubs alone, and unfold says nothing of a page's model and `str` where it takes lazy
words. So mypy reads the declarations below, of what we use; when the program runs these are unfold's own classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.contrib import admin
from django.contrib.admin import options
from django.db.models import Model

Row = TypeVar("Row", bound=Model)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from dataclasses import dataclass

    from django.contrib.admin.options import _FieldsetSpec, _ListFilterT
    from django.http import HttpRequest, HttpResponse
    from django.utils.functional import Promise
    from unfold.enums import ActionVariant

    Method = TypeVar("Method", bound=Callable[..., Any])

    Fieldsets = _FieldsetSpec
    ListFilter = _ListFilterT

    @dataclass
    class RowAction:
        action_name: str
        method: Callable[..., HttpResponse]

    class BaseModelAdmin(options.BaseModelAdmin[Row]): ...

    class ModelAdmin(admin.ModelAdmin[Row]):
        actions_detail: Sequence[str]
        list_before_template: str
        list_filter_submit: bool
        warn_unsaved_form: bool

        def get_unfold_action(self, action: str) -> RowAction: ...
        def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[RowAction]: ...
        def _get_base_actions_detail(self) -> list[RowAction]: ...

    class TabularInline(admin.TabularInline[Row, Any]):
        per_page: int
        hide_title: bool

    class StackedInline(admin.StackedInline[Row, Any]):
        hide_title: bool

    def display(
        *,
        description: str | Promise,
        ordering: str | None = None,
        label: Mapping[Any, str] | None = None,
        boolean: bool = False,
    ) -> Callable[[Method], Method]: ...

    def action(
        *,
        description: Promise,
        permissions: Sequence[str],
        icon: str,
        variant: ActionVariant,
        dialog: Mapping[str, object],
    ) -> Callable[[Method], Method]: ...

else:
    import unfold.admin
    from unfold.dataclasses import UnfoldAction as RowAction
    from unfold.decorators import action, display  # noqa: F401

    Fieldsets = list
    ListFilter = object

    class BaseModelAdmin(options.BaseModelAdmin, Generic[Row]):
        pass

    class ModelAdmin(unfold.admin.ModelAdmin, Generic[Row]):
        pass

    class TabularInline(unfold.admin.TabularInline, Generic[Row]):
        pass

    class StackedInline(unfold.admin.StackedInline, Generic[Row]):
        pass
