"""Identifies HTTP callers (PAYUNG_AUTH): everyone when it says `none`, else the bearer of a token of an OIDC issuer.

Closed by default: without the setting, no caller is let in. A token's `agencies` names the agencies that its bearer may
act for, as `64.08/dinsos`; `64.08/*` is every agency of a regency. `roles` says what else the bearer may do (the roles
below), in these regencies and in those that `regencies` names; sending for an agency does not make anyone an officer. A
token must be signed by the issuer, valid now, and made for this audience.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from fastapi import HTTPException, Request

from shared.runtime import configuration
from shared.runtime.errors import Unavailable
from shared.runtime.http import edge
from shared.runtime.http.issuer import DEFAULT, Fetch, IssuerKeys, KeyTimes

OPEN = "none"
ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "PS256", "EdDSA")
LEEWAY_S = 30


# What a token's `roles` may contain: a role alone holds for every regency of the token, `64.08/claims-officer` for one.
VERIFICATION_OFFICER = "verification-officer"
CLAIMS_OFFICER = "claims-officer"
REGISTRATION_OFFICER = "registration-officer"
OPERATOR = "operator"
READER = "reader"
ROLES = (VERIFICATION_OFFICER, CLAIMS_OFFICER, REGISTRATION_OFFICER, OPERATOR, READER)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request. `agencies` None: everyone may do everything (PAYUNG_AUTH=none).

    `agencies` are the agencies they send for, `places` the further regencies that the token names, `roles` what they
    may do.
    """

    name: str
    agencies: frozenset[str] | None
    roles: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()

    @property
    def signature(self) -> str | None:
        """The name that signs what this caller does; None when nobody has signed in."""
        return None if self.agencies is None else self.name

    def may_act_for(self, agency: str) -> bool:
        """Whether this caller may send and read as this agency (`64.08/dinsos`)."""
        return self.agencies is None or agency in self.agencies or f"{agency.split('/')[0]}/*" in self.agencies

    def may_read(self, regency: str) -> bool:
        """Whether this caller belongs to this regency."""
        return self.agencies is None or regency in self._own()

    def has_role(self, role: str, regency: str) -> bool:
        """Whether this caller has a role in this regency. Sending for its agencies does not give a role."""
        if self.agencies is None or f"{regency}/{role}" in self.roles:
            return True
        return role in self.roles and regency in self._own()

    def regencies(self, wanted: str | None = None, role: str | None = None) -> list[str] | None:
        """The regencies whose data this caller may list: the wanted one, or all that they belong to.

        With `role`, only those where they have that role. None means every regency.
        """
        if self.agencies is None:
            return None if wanted is None else [wanted]
        own = self._own()
        return sorted(one for one in own if wanted in (None, one) and (role is None or self.has_role(role, one)))

    def _own(self) -> set[str]:
        """The regencies of this caller's token."""
        named = {one.split("/")[0] for one in self.agencies or ()} | set(self.places)
        return named | {one.split("/")[0] for one in self.roles if "/" in one}


class Guard:
    """Authenticates the callers of one service."""

    def __init__(self, environ: Mapping[str, str], fetch: Fetch | None = None, bounds: KeyTimes = DEFAULT) -> None:
        self._issuer = configuration.AUTH.of(environ)
        self._audience = configuration.AUTH_AUDIENCE.text(environ) or configuration.AUTH_AUDIENCE.usual
        self._keys = IssuerKeys(self._issuer, fetch, bounds)

    async def caller(self, request: Request) -> Caller:
        """The caller of this request; raises HTTPException 401 (unknown) or 403 (a page of another site), 503 while the
        issuer does not answer."""
        if edge.is_foreign_page(request.method, request.headers):
            raise HTTPException(403, edge.FOREIGN_PAGE)
        if self._issuer == OPEN:
            return _known(request, Caller("anyone", None))
        if not self._issuer:
            raise HTTPException(401, "PAYUNG_AUTH is not set: name an OIDC issuer, or say none")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unknown("a bearer token is needed")
        return _known(request, await self._bearer(token.strip()))

    async def optional_caller(self, request: Request) -> Caller | None:
        """The caller of this request; None when it shows no token, for content that everybody may see.

        A token that is shown must be valid: raises HTTPException as `caller` does.
        """
        if self._issuer != OPEN and "authorization" not in request.headers:
            return None
        return await self.caller(request)

    async def reader(self, request: Request, regency: str) -> Caller:
        """The caller, if they may read this regency's data; raises HTTPException as `caller` does, and 403 for another
        regency."""
        caller = await self.caller(request)
        if not caller.may_read(regency):
            raise HTTPException(403, f"the token names no agency of {regency}")
        return caller

    async def _bearer(self, token: str) -> Caller:
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid"))
            claims = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                issuer=[self._issuer, self._issuer + "/"],
                audience=self._audience,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise _unknown(f"the token is not accepted: {type(error).__name__}") from error
        agencies, roles, places = (_texts(claims.get(name)) for name in ("agencies", "roles", "regencies"))
        return Caller(str(claims["sub"]), agencies, roles, places)

    async def _key(self, kid: str | None) -> jwt.PyJWK:
        try:
            found = await self._keys.find(kid)
        except Unavailable as error:
            raise HTTPException(503, str(error)) from error
        if found is None:
            raise _unknown("the token is signed with a key that the issuer does not name")
        return found


def _known(request: Request, caller: Caller) -> Caller:
    # For the audit line of a later refusal.
    request.state.caller = caller
    return caller


def _texts(claim: Any) -> frozenset[str]:
    return frozenset(one for one in claim if isinstance(one, str)) if isinstance(claim, list) else frozenset()


def _unknown(why: str) -> HTTPException:
    return HTTPException(401, why, headers={"www-authenticate": "Bearer"})
