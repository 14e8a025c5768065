"""Errors say where and what, survive a trip between processes, and sort by what to do."""

from __future__ import annotations

import pickle

import pytest

from apps.marketplaces import errors


def test_it_names_the_api_the_path_the_status_and_the_message() -> None:
    error = errors.Permanent("OZON Seller", "/v3/product/list", "limit is too large", 400)

    assert str(error) == "OZON Seller /v3/product/list: HTTP 400: limit is too large"


def test_it_says_when_no_answer_came() -> None:
    assert str(errors.Unclear("OZON Seller", "/x", "cannot connect")) == "OZON Seller /x: no answer: cannot connect"


@pytest.mark.parametrize(
    "kind",
    [
        errors.Temporary,
        errors.Permanent,
        errors.WrongCredentials,
        errors.SwitchedOff,
        errors.Unclear,
        errors.Malformed,
        errors.RepeatedCursor,
    ],
)
def test_it_survives_pickling(kind: type[errors.ApiError]) -> None:
    error = pickle.loads(pickle.dumps(kind("A", "/p", "no", 429, 1.5)))

    assert type(error) is kind
    assert (error.api, error.path, error.message, error.status, error.retry_after) == ("A", "/p", "no", 429, 1.5)


def test_a_wrong_key_and_a_switched_off_method_are_permanent() -> None:
    assert issubclass(errors.WrongCredentials, errors.Permanent)
    assert issubclass(errors.SwitchedOff, errors.Permanent)
    assert not issubclass(errors.Unclear, errors.Temporary)
