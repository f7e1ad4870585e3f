"""The settings for calls to Dukcapil: address, credentials, and the limits of the agreement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.runtime.settings import Integer, Number, Text, Url

URL = Url("PAYUNG_DUKCAPIL_URL", "the address of Dukcapil's web service", "http://127.0.0.1:8106")
USER = Text("PAYUNG_DUKCAPIL_USER", "the agency's user at Dukcapil", "payung")
PASSWORD = Text("PAYUNG_DUKCAPIL_PASSWORD", "the user's password", "payung", secret=True)
ADDRESS = Text("PAYUNG_DUKCAPIL_IP", "the address that Dukcapil expects the calls from", "127.0.0.1")
TIMEOUT_S = Number(
    "PAYUNG_DUKCAPIL_TIMEOUT_S", "seconds until a call is given up", "5", least=0.1, most=600, default=5.0
)
RATE = Number(
    "PAYUNG_DUKCAPIL_RATE",
    "calls per second of all processes together, repeats included",
    "50",
    least=1,
    most=100_000,
    default=50.0,
)
DAILY_QUOTA = Integer(
    "PAYUNG_DUKCAPIL_DAILY_QUOTA",
    "questions of all processes together on one business day; 0: only Dukcapil says when its quota is used up",
    "0",
    most=10**9,
    default=0,
)
INSTITUTION = Text("PAYUNG_DUKCAPIL_INSTITUTION", "the agency's code at Dukcapil", "payung")
INSTITUTION_NAME = Text("PAYUNG_DUKCAPIL_INSTITUTION_NAME", "the agency's name at Dukcapil", "Payung")
SETTINGS = (URL, USER, PASSWORD, ADDRESS, TIMEOUT_S, RATE, DAILY_QUOTA, INSTITUTION, INSTITUTION_NAME)


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
        as agreed with Dukcapil (the stand-in accepts any). Raises StartRefused when a number is malformed or too small.
        """
        return cls(
            url=URL.of(environ),
            user=USER.text(environ) or USER.usual,
            password=PASSWORD.text(environ) or PASSWORD.usual,
            address=ADDRESS.text(environ) or ADDRESS.usual,
            timeout_s=TIMEOUT_S.of(environ),
            rate=RATE.of(environ),
            daily_quota=DAILY_QUOTA.of(environ),
            institution=INSTITUTION.text(environ) or INSTITUTION.usual,
            institution_name=INSTITUTION_NAME.text(environ) or INSTITUTION_NAME.usual,
        )
