"""The life of a key: entered, checked, at work, refused, replaced. Every step is one transaction with its audit row.

Nothing is asked here: `key_check.py` asks the marketplace, the clients tell a `Watch` how their key fares. What is
learnt of a key counts only while that very key is at work (`version`): a worker that still calls with its forerunner
neither praises nor blames the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from apps.common.clock import real_now
from apps.common.encrypted import Secret
from apps.marketplaces.errors import WrongCredentials
from apps.marketplaces.ozon_seller.client import ROLES
from apps.marketplaces.ozon_seller.schemas import KeyRoles
from apps.shops.audit import record
from apps.shops.models import Credential, Person
from apps.shops.sending import wait_for_sends

SAME_OUTAGE = timedelta(hours=1)  # a refusal that comes back so soon is told once
SHOWN_FOR = timedelta(days=1)  # what became of another key than the one at work


@dataclass
class Watch:
    """How the key of one client fares; see `apps.marketplaces.ozon_seller.client.OzonKeyWatch`."""

    key_id: int
    version: int
    has_former: bool

    @classmethod
    def of(cls, key: Credential) -> Watch:
        return cls(key.pk, key.version, has_former=key.former_secret is not None)

    def worked(self, path: str) -> None:
        if self.has_former and path != ROLES:
            forget_former(key_id=self.key_id, version=self.version)
            self.has_former = False

    def refused(self, error: WrongCredentials) -> None:
        refuse(key_id=self.key_id, version=self.version, problem=str(error))

    def described(self, roles: KeyRoles) -> None:
        describe(key_id=self.key_id, version=self.version, roles=roles)


@transaction.atomic
def describe(*, key_id: int, version: int, roles: KeyRoles | None) -> None:
    """The marketplace takes the key and says what it may do (None: it does not say): an open circuit closes."""
    key = _locked(key_id, version)
    if key is None:
        return
    if roles is not None:
        note_roles(key, roles)
    key.checked_at = real_now()
    if key.is_refused:
        record("credential.accepted", shop=key.shop, subject=key)
    if key.is_refused or (key.problem_at and real_now() - key.problem_at > SHOWN_FOR):
        key.is_refused, key.problem = False, ""
    key.save()


def note_roles(key: Credential, roles: KeyRoles) -> None:
    """Put what the marketplace says of the key into its row, which the caller saves."""
    key.roles = [role.name for role in roles.roles]
    key.methods = sorted({method for role in roles.roles for method in role.methods})
    key.expires_at, key.checked_at = roles.expires_at, real_now()


@transaction.atomic
def refuse(*, key_id: int, version: int, problem: str) -> None:
    """The marketplace does not take the key: its forerunner comes back, or else the circuit opens."""
    key = _locked(key_id, version)
    if key is None or key.is_refused:
        return
    if key.former_secret is not None:
        _fall_back(key, problem)
    else:
        _open_circuit(key, problem)
    key.save()


@transaction.atomic
def forget_former(*, key_id: int, version: int) -> None:
    """The key has been seen at work: its forerunner is not needed any more."""
    key = _locked(key_id, version)
    if key is None or key.former_secret is None:
        return
    record("credential.former_forgotten", shop=key.shop, subject=key, key=key.former_secret.masked)
    key.former_client_id, key.former_secret = "", None
    key.save()


@transaction.atomic
def enter_next(*, key_id: int, client_id: str, secret: Secret, roles: KeyRoles | None, by: Person | None) -> Credential:
    """A new key beside the one at work. With `roles`, what the marketplace says of it, it takes over at once."""
    key = _for_change(key_id, client_id)
    key.next_client_id, key.next_secret, key.ask_at = client_id, secret, None
    record("credential.next_entered", actor=by, shop=key.shop, subject=key, client_id=client_id, key=secret.masked)
    if roles is not None:
        _take_over(key, roles, by)
    key.save()
    return key


@transaction.atomic
def take_over(*, key_id: int, client_id: str, secret: Secret, roles: KeyRoles) -> None:
    """The next key was checked and is at work from now on, unless another has been entered meanwhile."""
    key = _for_change(key_id, client_id)
    if (key.next_client_id, key.next_secret) == (client_id, secret):
        _take_over(key, roles, None)
        key.save()


@transaction.atomic
def refuse_next(*, key_id: int, client_id: str, secret: Secret, problem: str) -> None:
    """The next key is not taken, and is forgotten; the one at work stays."""
    key = Credential.objects.select_for_update(of=("self",)).select_related("shop__seller").get(pk=key_id)
    if (key.next_client_id, key.next_secret) != (client_id, secret):
        return
    record("credential.next_refused", shop=key.shop, subject=key, key=secret.masked, problem=problem)
    key.next_client_id, key.next_secret = "", None
    if not key.is_refused:
        key.problem, key.problem_at = problem, real_now()
    key.save()


def _locked(key_id: int, version: int) -> Credential | None:
    """The row, held, while this very key is at work."""
    rows = Credential.objects.select_for_update(of=("self",)).select_related("shop__seller")
    return rows.filter(pk=key_id, version=version).first()


def _for_change(key_id: int, client_id: str) -> Credential:
    """The row, held. A change of the account waits for the sends under way: none of them may go to another."""
    rows = Credential.objects.select_related("shop__seller")
    found = rows.get(pk=key_id)
    if client_id != found.client_id:
        wait_for_sends(found.shop)
    return rows.select_for_update(of=("self",)).get(pk=key_id)


def _take_over(key: Credential, roles: KeyRoles, by: Person | None) -> None:
    keeps_former = key.next_client_id == key.client_id and not key.is_refused
    key.former_client_id, key.former_secret = (key.client_id, key.secret) if keeps_former else ("", None)
    key.client_id, key.secret = key.next_client_id, key.next_secret
    key.next_client_id, key.next_secret = "", None
    key.version += 1
    key.is_refused, key.problem, key.problem_at = False, "", None
    note_roles(key, roles)
    record("credential.took_over", actor=by, shop=key.shop, subject=key, key=key.secret.masked)


def _fall_back(key: Credential, problem: str) -> None:
    record("credential.fell_back", shop=key.shop, subject=key, key=key.secret.masked, problem=problem)
    key.client_id, key.secret = key.former_client_id, key.former_secret
    key.former_client_id, key.former_secret = "", None
    key.version += 1
    key.roles, key.methods, key.expires_at, key.checked_at, key.ask_at = [], [], None, None, None
    key.problem, key.problem_at = problem, real_now()


def _open_circuit(key: Credential, problem: str) -> None:
    now = real_now()
    is_new = key.problem_at is None or now - key.problem_at > SAME_OUTAGE
    key.is_refused, key.problem = True, problem
    key.problem_at = now if is_new else key.problem_at
    key.ask_at = now + timedelta(seconds=settings.KEY_PROBE_SECONDS)
    record("credential.refused", shop=key.shop, subject=key, problem=problem)
