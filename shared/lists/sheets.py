"""The sheets of a workbook (XLSX) in order: the parts of a workbook, and its rows one at a time.

Handles the parts of the package: which sheets there are, which are hidden, the shared texts, which styles are dates.
`sheet_cells` reads the cells of one sheet.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.parsers.expat import ExpatError

from shared.lists.bounds import BOUNDS, Bounds
from shared.lists.errors import ListError
from shared.lists.formats import broken_workbook, strict_workbook
from shared.lists.sheet_cells import Book, HiddenCells, parser_of, sheet_rows, unescaped
from shared.lists.source import Source
from shared.lists.tables import Cells

# The exceptions that a damaged or hostile workbook raises, whichever part is read.
_BROKEN = (zipfile.BadZipFile, zlib.error, ExpatError, KeyError, ValueError, EOFError, NotImplementedError)
_STRICT = "http://purl.oclc.org/ooxml"
_PART_BYTES_MAX = 16 << 20
_PIECE_BYTES = 64 * 1024
# The built-in number formats of Excel that are dates or times.
_DATE_FORMATS = frozenset((*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)))
_NO_FORMAT = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE)
_OF_DATES = re.compile("[dmyhs]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The start of a sheet: its place among all sheets from 0, its name, whether it is visible, and whether days count
    from 1904."""

    index: int
    name: str
    visible: bool
    is_1904: bool


Item = Sheet | Cells | HiddenCells


def sheets_of(source: Source, wanted: frozenset[int] | None = None, bounds: Bounds = BOUNDS) -> Iterator[Item]:
    """For each wanted sheet: a Sheet, its rows that have a cell, its HiddenCells; raises ListError when the file is not
    a workbook."""
    try:
        with source.open() as file, zipfile.ZipFile(file) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > bounds.unpacked:
                raise _too_large()
            yield from _Package(archive, bounds).sheets(wanted)
    except _BROKEN as error:
        raise broken_workbook() from error


class _Package:
    """The parts of a workbook and the references between them."""

    def __init__(self, archive: zipfile.ZipFile, bounds: Bounds) -> None:
        self._archive = archive
        self._bounds = bounds
        self._names = {name.lower().lstrip("/"): name for name in archive.namelist()}

    def sheets(self, wanted: frozenset[int] | None) -> Iterator[Item]:
        main = next((t for kind, t in self._related("").values() if kind == "officeDocument"), "xl/workbook.xml")
        elements = self._elements(main)
        if any(_STRICT in str(value) for name, attributes in elements[:1] for value in attributes.values()):
            raise strict_workbook()
        is_1904 = any(one.get("date1904") in ("1", "true") for name, one in elements if name == "workbookPr")
        related = self._related(main)
        book = self._book(related, is_1904)
        listed = [one for name, one in elements if name == "sheet"]
        if len(listed) > self._bounds.sheets:
            raise ListError(
                f"Berkas XLSX memuat {len(listed)} lembar; paling banyak {self._bounds.sheets}.",
                f"The XLSX file has {len(listed)} sheets; at most {self._bounds.sheets} are read.",
            )
        for index, one in enumerate(listed):
            kind, target = related.get(_attribute(one, "id"), ("", ""))
            if kind != "worksheet" or (wanted is not None and index not in wanted):
                continue
            yield Sheet(index, one.get("name", ""), one.get("state", "visible") == "visible", is_1904)
            facts = HiddenCells()
            with self._archive.open(self._part(target)) as file:
                yield from sheet_rows(file, book, self._bounds, facts)
            yield facts

    def _book(self, related: dict[str, tuple[str, str]], is_1904: bool) -> Book:
        parts = dict(related.values())
        strings = self._strings(parts["sharedStrings"]) if "sharedStrings" in parts else []
        dates = self._date_styles(parts["styles"]) if "styles" in parts else frozenset()
        return Book(strings, dates, is_1904)

    def _part(self, target: str) -> str:
        return self._names[target.lower().lstrip("/")]

    def _related(self, part: str) -> dict[str, tuple[str, str]]:
        """The references of a part by id: the last word of the reference's type, and its path."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", name + ".rels")
        if rels.lower() not in self._names:
            return {}
        found: dict[str, tuple[str, str]] = {}
        for element, one in self._elements(rels):
            if element == "Relationship":
                target = posixpath.normpath(posixpath.join("/" + folder, one.get("Target", ""))).lstrip("/")
                found[one.get("Id", "")] = (one.get("Type", "").rsplit("/", 1)[-1], target)
        return found

    def _elements(self, part: str) -> list[tuple[str, dict[str, str]]]:
        """All elements of a small part in order, their names without prefixes."""
        name = self._part(part)
        if self._archive.getinfo(name).file_size > _PART_BYTES_MAX:
            raise _too_large()
        found: list[tuple[str, dict[str, str]]] = []
        parser = parser_of()
        parser.StartElementHandler = lambda element, one: found.append((element.rpartition(":")[2], one))
        parser.Parse(self._archive.read(name), True)
        return found

    def _date_styles(self, part: str) -> frozenset[str]:
        """The numbers of the cell styles that show a date or a time."""
        custom: dict[str, str] = {}
        styles: list[str] = []
        within = False
        for element, one in self._elements(part):
            if element == "numFmt":
                custom[one.get("numFmtId", "")] = one.get("formatCode", "")
            # Cell styles are in cellXfs; cellStyleXfs before it and the elements after it are other styles.
            within = element == "cellXfs" or (within and element in ("xf", "alignment", "protection", "extLst", "ext"))
            if within and element == "xf":
                styles.append(one.get("numFmtId", "0"))
        return frozenset(str(place) for place, one in enumerate(styles) if _is_date(one, custom))

    def _strings(self, part: str) -> list[str]:
        strings = _Strings(self._bounds)
        with self._archive.open(self._part(part)) as file:
            while piece := file.read(_PIECE_BYTES):
                strings.parser.Parse(piece, False)
        strings.parser.Parse(b"", True)
        return strings.found


class _Strings:
    """Handles the shared texts of a workbook."""

    def __init__(self, bounds: Bounds) -> None:
        self.found: list[str] = []
        self.parser: Any = parser_of()
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._begins, self._ends
        self.parser.CharacterDataHandler = self._says
        self._bounds = bounds
        self._text: list[str] = []
        self._size = 0
        self._takes = self._phonetic = False

    def _begins(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "t":
            self._takes = not self._phonetic
        elif name == "rPh":
            self._phonetic = True

    def _says(self, text: str) -> None:
        if self._takes and self._size < self._bounds.characters:
            self._size += len(text)
            self._text.append(text)

    def _ends(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name == "t":
            self._takes = False
        elif name == "rPh":
            self._phonetic = False
        elif name == "si":
            if len(self.found) >= self._bounds.strings:
                raise _too_large()
            self.found.append(unescaped("".join(self._text)))
            self._text.clear()
            self._size = 0


def _is_date(number_format: str, custom: dict[str, str]) -> bool:
    if number_format in custom:
        code = custom[number_format].split(";", 1)[0]
        # [h] counts hours beyond a day: this is a duration, not a date.
        bare = _NO_FORMAT.sub("", code)
        return code.lower() != "general" and "[" not in bare and _OF_DATES.search(bare) is not None
    return number_format.isdigit() and int(number_format) in _DATE_FORMATS and number_format != "46"


def _attribute(one: dict[str, str], name: str) -> str:
    return next((value for key, value in one.items() if key.rpartition(":")[2] == name and ":" in key), "")


def _too_large() -> ListError:
    return ListError(
        "Berkas XLSX terlalu besar setelah dibuka; bagi menjadi beberapa berkas, atau simpan sebagai CSV UTF-8.",
        "The XLSX file is too large when unpacked; divide it, or save it as CSV UTF-8.",
    )
