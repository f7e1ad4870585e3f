"""The settings for calls to Dukcapil: address, credentials, and the limits of the agreement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.runtime.errors import Refused

PREFIX = "PAYUNG_DUKCAPIL_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The address and the agency's credentials. The credentials never appear in a log or a repr.

    `rate` is in calls per second, repeats included. `daily_quota` is the number of questions that all processes
    together may ask on one business day (WITA); with 0 only Dukcapil says when its quota is used up.
    """

    url: str
    user: str = field(repr=False)
    password: str = field(repr=False)
    address: str = field(repr=False)
    timeout_s: float = 5.0
    rate: float = 50.0
    daily_quota: int = 0
    institution: str = "payung"
    institution_name: str = "Payung"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Reads PAYUNG_DUKCAPIL_URL; USER, PASSWORD, IP, RATE, DAILY_QUOTA, TIMEOUT_S, INSTITUTION and INSTITUTION_NAME
        as agreed with Dukcapil (the stand-in accepts any). Raises Refused when a number is malformed or too small.
        """
        return cls(
            url=environ.get(f"{PREFIX}URL", "http://127.0.0.1:8106").rstrip("/"),
            user=environ.get(f"{PREFIX}USER", "payung"),
            password=environ.get(f"{PREFIX}PASSWORD", "payung"),
            address=environ.get(f"{PREFIX}IP", "127.0.0.1"),
            timeout_s=_number(environ, "TIMEOUT_S", 5.0, least=0.1),
            rate=_number(environ, "RATE", 50.0, least=1.0),
            daily_quota=int(_number(environ, "DAILY_QUOTA", 0.0, least=0.0)),
            institution=environ.get(f"{PREFIX}INSTITUTION", "payung"),
            institution_name=environ.get(f"{PREFIX}INSTITUTION_NAME", "Payung"),
        )


def _number(environ: Mapping[str, str], name: str, default: float, *, least: float) -> float:
    text = environ.get(PREFIX + name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    # `not >=` refuses NaN too.
    if not least <= value < 1e9:
        raise Refused(f"{PREFIX}{name} is {text}; a number of at least {least:g} is needed")
    return value
