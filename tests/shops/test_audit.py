"""The audit trail grows and never changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.db import DatabaseError, connection, transaction

from apps.decisions.models import Command, Proposal
from apps.shops.audit import record
from apps.shops.audit_words import WORDS, say, subject_in_words
from apps.shops.models import AuditEntry
from apps.shops.scoped_admin import _Page
from tests.cast import anna

LITERAL = re.compile(r"record(?:_each)?\(\s*\"([a-z_]+\.[a-z_]+)\"")


@pytest.mark.django_db
def test_a_row_says_who_did_what_to_which_thing_of_whom() -> None:
    owner = anna()
    shop = owner.seller.shops.get()
    entry = record("shop.changed", actor=owner.person, shop=shop, subject=shop, fields=["name"])
    assert (entry.seller, entry.shop, entry.actor) == (owner.seller, shop, owner.person)
    assert entry.subject == f"shops.shop:{shop.pk}"
    assert entry.data == {"fields": ["name"]}


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["update logs set action = 'forged'", "delete from logs"])
def test_the_database_refuses_to_change_a_row(statement: str) -> None:
    record("seller.created", seller=anna().seller)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEntry.objects.filter(action="seller.created").exists()


@pytest.mark.django_db
def test_the_orm_cannot_change_a_row_either() -> None:
    entry = record("seller.created", seller=anna().seller)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(action="forged")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        entry.delete()


@pytest.mark.django_db
def test_the_database_holds_triggers_against_change_and_truncation() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select tgname from pg_trigger where tgrelid = 'logs'::regclass and not tgisinternal")
        assert {name for (name,) in cursor.fetchall()} == {"logs_no_change", "logs_no_truncate"}


def test_every_action_has_words() -> None:
    sources = [path for folder in ("apps", "bots", "tasks") for path in Path(settings.BASE_DIR, folder).rglob("*.py")]
    named = {name for path in sources for name in LITERAL.findall(path.read_text())}
    ended = {f"proposal.{state}" for state in Proposal.State if state not in ("pending", "approved", "rejected")}
    stopped = {f"command.{state}" for state in Command.State if state not in Command.LIVE}
    pages = [page for page in admin.site._registry.values() if isinstance(page, _Page) and page.audit_name]
    changed = {f"{page.audit_name}.changed" for page in pages}
    assert len(named) > 20
    assert sorted((named | ended | stopped | changed) - set(WORDS)) == []


def test_what_a_row_is_about_is_told_by_the_name_of_the_thing() -> None:
    assert subject_in_words("shops.shop:7") == "shop № 7"
    assert subject_in_words("telegram:1001") == "telegram:1001"
    assert subject_in_words("") == ""


def test_an_action_that_nobody_put_into_words_is_shown_as_it_is() -> None:
    assert say("cost.set") == "Unit cost entered"
    assert say("some.thing") == "some.thing"
