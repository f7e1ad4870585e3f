"""Values of the domains never change; in the tests this holds at run time too (tests/conftest.py)."""

from __future__ import annotations

import dataclasses

import pytest

from services.billing.domain.state import Accounts
from tests.states import STATES


def test_a_value_cannot_be_changed_in_a_test() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Accounts(1, 2).jkk = 3  # type: ignore[misc]  # mypy refuses it too


@pytest.mark.parametrize("state", sorted({state for *_, state in STATES}, key=repr))
def test_every_stored_state_is_a_value(state: type) -> None:
    assert state.__dataclass_params__.frozen  # type: ignore[attr-defined]  # dataclasses do not declare it
