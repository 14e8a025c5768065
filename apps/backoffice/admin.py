"""Pages that span floors: decisions in the words of their kinds, products with the sales of their articles, and the
schedule of the installation."""

from __future__ import annotations

from django.contrib import admin
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from apps.backoffice.admin_decisions import CommandAdmin, ProposalAdmin
from apps.backoffice.admin_experiments import ExperimentAdmin
from apps.backoffice.admin_products import ProductInShopsAdmin
from apps.backoffice.admin_schedule import CrontabScheduleAdmin, IntervalScheduleAdmin, PeriodicTaskAdmin
from apps.catalog.models import Product
from apps.decisions.models import Command, Proposal
from apps.experiments.models import Experiment

admin.site.register(Proposal, ProposalAdmin)
admin.site.register(Command, CommandAdmin)
admin.site.register(Experiment, ExperimentAdmin)
admin.site.register(Product, ProductInShopsAdmin)

admin.site.unregister((ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule))
admin.site.register(PeriodicTask, PeriodicTaskAdmin)
admin.site.register(CrontabSchedule, CrontabScheduleAdmin)
admin.site.register(IntervalSchedule, IntervalScheduleAdmin)
