"""Which errors of MongoDB are retried, and that every retry has an end."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.errors import OperationFailure, WaitQueueTimeoutError

from shared.runtime.errors import StartRefused, Unavailable
from shared.runtime.store import driver, mongo
from tests.toy import CIPHER


async def raising(error: Exception) -> Any:
    raise error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OperationFailure("not let in", 18, {"codeName": "AuthenticationFailed"}), "MongoDB: 18 AuthenticationFailed"),
        (OperationFailure("not allowed", 13, {"codeName": "Unauthorized"}), "MongoDB: 13 Unauthorized"),
        (OperationFailure("no room", 14031), "MongoDB: 14031"),
        (WaitQueueTimeoutError("all places taken"), "MongoDB: WaitQueueTimeoutError"),
    ],
)
async def test_errors_that_an_operator_can_mend_are_retried_by_name(error: Exception, told: str) -> None:
    with pytest.raises(Unavailable) as found:
        await driver.answered(raising(error))
    assert str(found.value) == told


async def test_our_own_defects_are_not_retried() -> None:
    with pytest.raises(OperationFailure):
        await driver.answered(raising(OperationFailure("bad query", 2)))


@pytest.mark.parametrize("named", ["motor", "pymongo"])
async def test_the_wait_for_a_free_connection_is_limited(named: str) -> None:
    client = driver.connect("mongodb://127.0.0.1:1/?replicaSet=rs0", named)
    assert client.options.pool_options.wait_queue_timeout == driver.OPERATION_TIMEOUT_MS / 1000
    closed = client.close()
    if closed is not None:
        await closed


class Admin:
    """A server that describes itself in this way."""

    def __init__(self, hello: dict[str, Any]) -> None:
        self.hello = hello
        self.admin = self

    def get_database(self, *_: Any, **__: Any) -> Any:
        """Must not be called: no collection is used before the server is accepted."""
        return {}

    async def command(self, name: str) -> dict[str, Any]:
        return {"hello": self.hello}[name]


@pytest.mark.parametrize(
    ("hello", "accepted"),
    [
        ({"isWritablePrimary": True, "setName": "rs0"}, True),
        ({"isWritablePrimary": True, "msg": "isdbgrid"}, True),
        ({"isWritablePrimary": True}, False),
        ({"isWritablePrimary": True, "msg": "other"}, False),
    ],
)
async def test_a_replica_set_and_a_router_are_accepted(hello: dict[str, Any], accepted: bool) -> None:
    store = mongo.MongoStore(Admin(hello), "d", {}, {}, CIPHER)
    # After an accepted server the collections follow, which this one does not have.
    with pytest.raises(KeyError if accepted else StartRefused):
        await store.check()
