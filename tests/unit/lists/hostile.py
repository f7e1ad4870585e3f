"""Workbooks assembled from parts: hostile ones, and forms that libraries do not write."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

HEADER = ["nik", "nama", "tanggal_lahir", "jenis_kelamin", "desa", "sektor", "pekerjaan", "persetujuan"]
CELLS = ["6408044107850002", "SITI", "01/07/1985", "P", "64.08.04.2012", "perikanan", "nelayan", "04/01/2026"]
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def row(number: int | str, cells: Iterable[str], attributes: str = "") -> str:
    """A row of text cells."""
    texts = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)
    return f'<row r="{number}"{attributes}>{texts}</row>'


def sheet(*rows: str, before: str = "") -> str:
    """The XML of a sheet."""
    return f'<worksheet xmlns="{_MAIN}">{before}<sheetData>{"".join(rows)}</sheetData></worksheet>'


def book(path: Path, sheets: Mapping[str, str], *, strings: str = "", properties: str = "", head: str = "") -> Path:
    """A workbook with these sheets, by name; `head` comes before the XML of each sheet."""
    listed = "".join(f'<sheet name="{name}" sheetId="{i}" r:id="rId{i}"/>' for i, name in enumerate(sheets, start=1))
    related = "".join(
        f'<Relationship Id="rId{i}" Type="{_RELATED}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    related += f'<Relationship Id="rId99" Type="{_RELATED}/sharedStrings" Target="sharedStrings.xml"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" Type="{_RELATED}/officeDocument"'
            f' Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATED}"><workbookPr {properties}/>'
            f"<sheets>{listed}</sheets></workbook>",
        )
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACKAGE}">{related}</Relationships>')
        archive.writestr("xl/sharedStrings.xml", strings or f'<sst xmlns="{_MAIN}"/>')
        for i, text in enumerate(sheets.values(), start=1):
            archive.writestr(f"xl/worksheets/sheet{i}.xml", head + text)
    return path
