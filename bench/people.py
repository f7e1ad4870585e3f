"""Whom the benches put on their lists: invented people whom no rule refuses, so that the road is measured."""

from __future__ import annotations

from itertools import islice

from payung.demo.population import Person, generate
from shared.kernel.calendar import business_day
from shared.reference import areas as area_files
from shared.runtime import clock

REGENCY = "64.08"
# Of those who are invented, well over one in 1.4 is alive and of an age to be insured.
INVENTED_EACH = 1.4


def insurable(seed: int, count: int) -> list[Person]:
    """So many people of the regency, each seed others."""
    today = business_day(clock.now())
    everybody = generate(seed, int(count * INVENTED_EACH), REGENCY, area_files.load(), today)
    fit = (one for one in everybody if one.status == "alive" and 19 <= today.year - one.birth_date.year < 65)
    return list(islice(fit, count))
