"""Linking Telegram: by a code from the admin, once, and not by guessing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from apps.common.clock import real_now
from apps.common.errors import Refused
from apps.shops.linking import ATTEMPTS_WINDOW, CODE_LIFE, MAX_ATTEMPTS, issue_code, link
from apps.shops.models import AuditEntry, LinkCode, Person
from tests.cast import anna, person

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WRONG = "This code is wrong, used or expired"


def code_for(who: Person) -> str:
    return issue_code(person=who, by=None, now=NOW)


def audit() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", "subject"))


def test_a_code_ties_a_telegram_user_to_its_person() -> None:
    olga = person("Olga")

    assert link(code=f" {code_for(olga)} ", telegram_id=3003, now=NOW) == olga

    olga.refresh_from_db()
    assert olga.telegram_id == 3003
    assert audit() == [
        ("telegram.code_issued", f"shops.person:{olga.pk}"),
        ("telegram.linked", f"shops.person:{olga.pk}"),
    ]


def test_a_code_is_hard_to_guess_and_only_its_digest_is_kept() -> None:
    code = code_for(person("Olga"))

    assert len(code) == 12
    assert code not in str(LinkCode.objects.values())


def test_a_code_works_for_one_user_and_for_that_one_again() -> None:
    code = code_for(olga := person("Olga"))
    link(code=code, telegram_id=3003, now=NOW)

    assert link(code=code, telegram_id=3003, now=NOW) == olga
    with pytest.raises(Refused, match=WRONG):
        link(code=code, telegram_id=4004, now=NOW)
    assert Person.objects.get(pk=olga.pk).telegram_id == 3003
    assert AuditEntry.objects.filter(action="telegram.linked").count() == 1


def test_a_code_ends_after_its_day() -> None:
    code = code_for(person("Olga"))

    with pytest.raises(Refused, match=WRONG):
        link(code=code, telegram_id=3003, now=NOW + CODE_LIFE)
    assert link(code=code, telegram_id=3003, now=NOW + CODE_LIFE - timedelta(seconds=1))


def test_a_newer_code_ends_the_older_one() -> None:
    olga = person("Olga")
    older, newer = code_for(olga), code_for(olga)

    with pytest.raises(Refused, match=WRONG):
        link(code=older, telegram_id=3003, now=NOW)
    assert link(code=newer, telegram_id=3003, now=NOW) == olga


def test_a_closed_login_cannot_be_linked() -> None:
    olga = person("Olga")
    code = code_for(olga)
    olga.user.is_active = False
    olga.user.save()

    with pytest.raises(Refused, match=WRONG):
        link(code=code, telegram_id=3003, now=NOW)


def test_a_telegram_user_is_one_person_only() -> None:
    owner, olga = anna(), person("Olga")

    link(code=code_for(olga), telegram_id=1001, now=NOW)

    owner.person.refresh_from_db()
    assert owner.person.telegram_id is None
    assert Person.objects.get(telegram_id=1001) == olga


def test_after_a_few_wrong_codes_nothing_more_is_tried_or_written_for_a_while() -> None:
    code, now = code_for(person("Olga")), real_now()
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(Refused, match=WRONG):
            link(code="guess", telegram_id=666, now=now)
    for given in ("guess", code):
        with pytest.raises(Refused, match="Too many wrong codes"):
            link(code=given, telegram_id=666, now=now)

    assert AuditEntry.objects.filter(action="telegram.link_failed").count() == MAX_ATTEMPTS
    with pytest.raises(Refused, match=WRONG):
        link(code="guess", telegram_id=666, now=now + ATTEMPTS_WINDOW + timedelta(seconds=1))
    with pytest.raises(Refused, match=WRONG):
        link(code="guess", telegram_id=667, now=now)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_say_a_code_at_once_one_is_linked() -> None:
    code = code_for(olga := person("Olga"))

    def attempt(telegram_id: int) -> Callable[[], bool]:
        def run() -> bool:
            try:
                return link(code=code, telegram_id=telegram_id, now=NOW) == olga
            except Refused:
                return False
            finally:
                connection.close()

        return run

    with ThreadPoolExecutor(4) as pool:
        linked = list(pool.map(lambda run: run(), [attempt(number) for number in range(3000, 3004)]))

    assert linked.count(True) == 1
    assert Person.objects.exclude(telegram_id=None).count() == 1
