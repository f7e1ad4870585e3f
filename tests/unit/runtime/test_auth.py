"""Which callers are admitted: the tokens have the form of a real issuer's, with the test's own keys."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from fastapi import HTTPException
from starlette.requests import Request

from shared.runtime import clock
from shared.runtime.http.auth import Caller, Guard

ISSUER = "https://login.example.go.id/realms/payung"
KEY = generate_private_key(SECP256R1())


class Issuer:
    """Answers the two requests that an issuer gets."""

    def __init__(self) -> None:
        self.asked = 0

    async def get(self, url: str) -> Any:
        if url == f"{ISSUER}/.well-known/openid-configuration":
            return {"jwks_uri": f"{ISSUER}/keys"}
        self.asked += 1
        return {"keys": [{**jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k1"}]}


def _token(key: EllipticCurvePrivateKey = KEY, kid: str = "k1", **changes: Any) -> str:
    soon = int(clock.now().timestamp()) + 60
    claims = {"iss": ISSUER, "aud": "payung", "sub": "rina", "exp": soon, "agencies": ["64.08/dinsos"], **changes}
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, key, "ES256", {"kid": kid})


def _request(token: str | None) -> Request:
    headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers})


async def test_a_good_token_may_act_for_its_agencies_only() -> None:
    issuer = Issuer()
    guard = Guard({"PAYUNG_AUTH": ISSUER}, issuer.get)
    caller = await guard.caller(_request(_token()))
    assert (caller.name, caller.may_act_for("64.08/dinsos"), caller.may_act_for("64.08/desa")) == ("rina", True, False)
    assert (caller.may_read("64.08"), caller.may_read("64.02")) == (True, False)
    chief = await guard.caller(_request(_token(agencies=["64.08/*"])))
    assert (chief.may_act_for("64.08/desa"), chief.may_act_for("64.02/desa")) == (True, False)
    assert issuer.asked == 1


def test_a_caller_lists_their_own_regencies_only() -> None:
    caller = Caller("rina", frozenset({"64.08/dinsos"}), frozenset({"64.02/verification-officer"}))
    assert caller.regencies() == ["64.02", "64.08"]
    assert (caller.regencies("64.08"), caller.regencies("64.09")) == (["64.08"], [])
    role = "verification-officer"
    assert (caller.regencies(role=role), caller.regencies("64.08", role)) == (["64.02"], [])
    anyone = Caller("anyone", None)
    assert (anyone.regencies(role=role), anyone.regencies("64.08", role)) == (None, ["64.08"])


def test_a_role_counts_in_the_regencies_of_its_token_only() -> None:
    bare = Caller("rina", frozenset({"64.08/dinsos"}), frozenset({"claims-officer"}), frozenset({"64.02"}))
    assert [bare.has_role("claims-officer", one) for one in ("64.08", "64.02", "64.03")] == [True, True, False]
    assert not bare.has_role("operator", "64.08")
    # A caller who may send for every agency of a regency is not its officer.
    assert not Caller("chief", frozenset({"64.08/*"})).has_role("claims-officer", "64.08")
    assert not Caller("lost", frozenset(), frozenset({"claims-officer"})).has_role("claims-officer", "64.08")


@pytest.mark.parametrize(
    "token",
    [
        None,
        "nonsense",
        _token(exp=1),
        _token(iss="https://elsewhere.example"),
        _token(aud="another"),
        _token(sub=None),
        _token(kid="k9"),
        _token(generate_private_key(SECP256R1())),
        jwt.encode({"iss": ISSUER, "aud": "payung", "sub": "x", "exp": 9_999_999_999}, "", "none"),
    ],
)
async def test_any_other_token_is_refused(token: str | None) -> None:
    with pytest.raises(HTTPException) as refused:
        await Guard({"PAYUNG_AUTH": ISSUER}, Issuer().get).caller(_request(token))
    assert refused.value.status_code == 401


async def test_every_caller_is_refused_without_a_setting() -> None:
    with pytest.raises(HTTPException):
        await Guard({}).caller(_request(_token()))
    assert (await Guard({"PAYUNG_AUTH": "none"}).caller(_request(None))).may_act_for("64.02/desa")
