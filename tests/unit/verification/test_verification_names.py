"""Comparing names: what is dropped, what is kept, and how similar two names are."""

from __future__ import annotations

import pytest

from shared.kernel.names import normalise, score


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("  siti   aminah ", "SITI AMINAH"),
        ("H. BUDI SANTOSO, S.Pd.", "BUDI SANTOSO"),
        ("Prof. DR. H. Budi, S.H., M.H.", "BUDI"),
        ("Drs. Ir. JOKO S.E.", "JOKO"),
        ("BUDI, S. Kom", "BUDI"),
        ("SITI AMINAH, HJ", "SITI AMINAH"),
        ("Hajjah Siti", "SITI"),
        ("BUDI H", "BUDI H"),  # an initial, not a title
        ("ST. AISYAH", "ST AISYAH"),  # Siti, not sarjana teknik
        ("M. ARIF", "M ARIF"),
        ("NUR'AINI", "NURAINI"),
        ("SITI-AMINAH", "SITI AMINAH"),
        ("JOSÉ", "JOSÉ"),
        ("HJ", "HJ"),
        ("H", "H"),
        (".", ""),
    ],
)
def test_names_are_compared_without_titles_and_marks(written: str, compared: str) -> None:
    assert normalise(written) == compared


@pytest.mark.parametrize(
    ("left", "right", "least", "most"),
    [
        ("Hj. Siti Aminah, S.Pd", "AMINAH SITI", 100, 100),
        ("SITI AMINAH", "SITI AMINAHH", 85, 99),
        ("SITI AMINAH", "SITI RAHMAH", 60, 84),
        ("SITI AMINAH", "JOKO WIDODO", 0, 59),
        ("SUKARNO", "SUKARNO", 100, 100),
        ("-", ".", 0, 0),
    ],
)
def test_likeness(left: str, right: str, least: int, most: int) -> None:
    assert least <= score(left, right) <= most
    assert score(left, right) == score(right, left)
