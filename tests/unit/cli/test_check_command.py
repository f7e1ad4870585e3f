"""A list of headings only is told so: neither a defect nor a list in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from payung import cli
from shared.lists.errors import ListError

HEADINGS = "submission_id,nik,name,birth_date,sex,village,sector,occupation,monthly_income,consent\n"


@pytest.mark.parametrize("as_json", [False, True])
def test_a_list_without_rows_says_so(tmp_path: Path, as_json: bool) -> None:
    path = tmp_path / "list.csv"
    path.write_text(HEADINGS, encoding="utf-8")
    with pytest.raises(ListError) as caught:
        cli.check(path, as_json=as_json)
    assert "tanpa baris" in caught.value.message_id
