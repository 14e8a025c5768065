"""What a role may do is one table."""

from __future__ import annotations

import pytest

from apps.common.errors import Denied
from apps.shops.models import Seller
from apps.shops.roles import ALLOWED, Action, Role, may, require
from tests.cast import member

EXPECTED = {
    Role.OWNER: set(Action),
    Role.APPROVER: {
        Action.VIEW,
        Action.SEE_PROFIT,
        Action.PROPOSE,
        Action.APPROVE,
        Action.RUN_JOBS,
        Action.EDIT_CATALOG,
    },
    Role.ANALYST: {Action.VIEW, Action.SEE_PROFIT, Action.PROPOSE, Action.EDIT_CATALOG},
    Role.VIEWER: {Action.VIEW},
}


def test_every_role_is_in_the_table() -> None:
    assert set(ALLOWED) == set(Role)


@pytest.mark.django_db
@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
def test_a_role_allows_what_is_written(role: Role, action: Action) -> None:
    somebody = member(Seller.objects.create(name="Anna's goods"), "Clara", role)
    assert may(somebody, action) == (action in EXPECTED[role])
    if action in EXPECTED[role]:
        require(somebody, action)
    else:
        with pytest.raises(Denied, match=f"“{role.label}”.*{action.label}"):
            require(somebody, action)


def test_nobody_may_nothing() -> None:
    assert not any(may(None, action) for action in Action)
    with pytest.raises(Denied, match="not a member"):
        require(None, Action.VIEW)
