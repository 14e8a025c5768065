from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _


class SalesConfig(AppConfig):
    name = "apps.sales"
    label = "sales"
    verbose_name = _("Sales")

    def ready(self) -> None:
        """A new shop in a CRM starts with rules, whoever makes it."""
        from apps.shops.models import Shop

        post_save.connect(_give_rules, sender=Shop, dispatch_uid="sales.give_rules")


def _give_rules(instance: Any, *, created: bool, raw: bool, **_: Any) -> None:
    from apps.sales.presets import apply_preset

    if created and not raw and instance.kind == instance.Kind.KEYCRM:  # a fixture brings its own rows
        apply_preset(shop=instance)
