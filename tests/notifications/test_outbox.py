"""The outbox: told once, in the transaction of its cause, to those who may know."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from apps.notifications.models import OutboxMessage
from apps.notifications.outbox import CHANNEL, people_who_may, postpone, retell, tell, waiting
from apps.shops.models import Member
from apps.shops.roles import Action, Role
from tests.cast import anna, boris, member
from tests.decisions.markets import NOON

State = OutboxMessage.State


def told(who: Member, *others: Member, key: str = "news:1", **options: Any) -> None:
    people = [one.person for one in (who, *others)]
    tell(name="note", key=key, seller=who.seller, people=people, params={"text": "hello"}, **options)


@pytest.mark.django_db
class TestTelling:
    def test_telling_twice_tells_once(self) -> None:
        owner = anna()
        told(owner)
        told(owner)

        assert OutboxMessage.objects.count() == 1

    def test_somebody_new_is_told_the_second_time(self) -> None:
        owner = anna()
        told(owner)
        told(owner, olga := member(owner.seller, "Olga", telegram_id=1002))

        assert [message.person for message in OutboxMessage.objects.order_by("pk")] == [owner.person, olga.person]

    def test_what_failed_tells_nothing(self) -> None:
        owner = anna()

        @transaction.atomic
        def tell_and_fail() -> None:
            told(owner)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            tell_and_fail()
        assert not OutboxMessage.objects.exists()

    def test_those_who_may_are_linked_and_of_the_seller_and_in(self) -> None:
        owner = anna()
        boris()
        approver = member(owner.seller, "Olga", Role.APPROVER, telegram_id=1002)
        member(owner.seller, "Vera", Role.VIEWER, telegram_id=1003)
        member(owner.seller, "Pavel", Role.OWNER)
        gone = member(owner.seller, "Ivan", Role.OWNER, telegram_id=1004)
        gone.person.user.is_active = False
        gone.person.user.save()

        assert people_who_may(owner.seller, Action.APPROVE) == [owner.person, approver.person]
        assert people_who_may(owner.seller, Action.MANAGE) == [owner.person]
        assert len(people_who_may(owner.seller, Action.VIEW)) == 3


@pytest.mark.django_db
class TestChanges:
    def test_every_copy_is_to_be_edited(self) -> None:
        owner = anna()
        told(owner, member(owner.seller, "Olga", telegram_id=1002), subject="proposal:7")
        told(owner, key="other", subject="proposal:77")

        assert retell("proposal:7") == 2
        wanted = dict(OutboxMessage.objects.values_list("key", "wanted"))
        assert sorted(wanted.values()) == [1, 2, 2]
        assert wanted[f"other:{owner.person.pk}"] == 1

    @pytest.mark.parametrize("state", [State.DEAD, State.EXPIRED, State.LOST])
    def test_what_will_never_arrive_is_left_alone(self, state: State) -> None:
        told(anna(), subject="proposal:7")
        OutboxMessage.objects.update(state=state)

        assert retell("proposal:7") == 0

    def test_a_card_put_off_has_a_successor_that_follows_it(self) -> None:
        owner = anna()
        told(owner, subject="proposal:7")
        until, end = NOON + timedelta(hours=2), NOON + timedelta(days=1)

        for _ in range(2):
            postpone(subject="proposal:7", person=owner.person, until=until, expires_at=end)

        first, again = OutboxMessage.objects.order_by("pk")
        assert (again.due_at, again.expires_at, again.subject) == (until, end, "proposal:7")
        assert retell("proposal:7") == 2
        assert [message.pk for message in waiting(now=NOON)] == [first.pk]
        assert waiting(now=until).count() == 2

    def test_a_card_that_was_never_told_cannot_be_put_off(self) -> None:
        postpone(subject="proposal:7", person=anna().person, until=NOON, expires_at=NOON)

        assert not OutboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_sender_hears_of_it_when_it_is_committed_and_not_before() -> None:
    owner = anna()
    parameters = connection.get_connection_params()
    address = {name: parameters[name] for name in ("host", "user", "dbname")}
    with psycopg.connect(**address, autocommit=True) as listening:
        listening.execute(f"listen {CHANNEL}")
        with transaction.atomic():
            told(owner, subject="proposal:7")
            assert not list(listening.notifies(timeout=0.1))
        assert len(list(listening.notifies(timeout=1, stop_after=1))) == 1
        retell("proposal:7")
        assert len(list(listening.notifies(timeout=1, stop_after=1))) == 1
        retell("proposal:nothing")
        assert not list(listening.notifies(timeout=0.1))
