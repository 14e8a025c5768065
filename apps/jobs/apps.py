from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "apps.jobs"
    label = "jobs"
    verbose_name = _("Clockwork")

    def ready(self) -> None:
        """A shop's schedule comes and goes with the shop, whoever saves it."""
        from apps.shops.models import Shop

        post_save.connect(_seed, sender=Shop, dispatch_uid="jobs.seed_schedule")
        post_delete.connect(_drop, sender=Shop, dispatch_uid="jobs.drop_schedule")


def _seed(instance: Any, *, raw: bool, **_: Any) -> None:
    from apps.jobs.schedule import seed_schedule

    if not raw:  # a fixture brings its own rows
        seed_schedule(instance)


def _drop(instance: Any, **_: Any) -> None:
    from apps.jobs.schedule import drop_schedule

    drop_schedule(instance)
