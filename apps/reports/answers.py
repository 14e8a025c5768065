"""What the bot answers to its commands: for one member, in the active language."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from apps.reports.rendering import Rendered
from apps.shops.models import Member


def welcome(member: Member, now: datetime) -> Rendered:
    return Rendered(_("Hello, %(name)s.") % {"name": member.person})


def hint(member: Member, now: datetime) -> Rendered:
    return help_text(member, now)


def help_text(member: Member, now: datetime) -> Rendered:
    return Rendered("/report /inventory /experiments /settings")


def report(member: Member, now: datetime) -> Rendered:
    return help_text(member, now)


def inventory(member: Member, now: datetime) -> Rendered:
    return help_text(member, now)


def experiments(member: Member, now: datetime) -> Rendered:
    return help_text(member, now)


def settings(member: Member, now: datetime) -> Rendered:
    return help_text(member, now)
