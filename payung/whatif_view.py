"""A what-if for people: scenarios side by side, months and districts as tables; the same as rows of a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from shared.files import separated, workbook
from shared.kernel.money import rupiah

TITLE = "Simulasi anggaran"
NOW, ASKED = "sekarang", "simulasi"
NOTE = (
    "manfaat: santunan kematian JKM penuh, sekali untuk tiap keluarga yang kehilangan perlindungan; "
    "bukan perkiraan jumlah kematian"
)
HEADER = (
    "skenario",
    "keadaan",
    "bagian",
    "nama",
    "pekerja",
    "terlindungi",
    "tanpa_perlindungan",
    "mulai",
    "bulan_hilang",
    "biaya_jkk",
    "biaya_jkm",
    "sisa_jkk",
    "sisa_jkm",
    "kurang_jkk",
    "kurang_jkm",
    "manfaat_hilang",
)
_INPUTS = (
    ("cut", "potong {}"),
    ("jkk", "JKK {}"),
    ("jkm", "JKM {}"),
    ("workers", "pekerja {}"),
    ("rates", "tarif {}"),
)
Scenario = tuple[str, str, str, Mapping[str, Any]]


def scenarios(answer: Mapping[str, Any]) -> list[Scenario]:
    """What stands side by side: name, moment, change and figures of now, of the question, and of saved scenarios."""
    found: list[Scenario] = [(NOW, answer["as_of"], "-", answer["now"])]
    asked = answer["scenario"]
    if change := _change(asked["inputs"]):
        found.append((asked["name"] or ASKED, answer["as_of"], change, asked["figures"]))
    for one in answer["compared"]:
        change = f"{one['year']} {one['funding']}, {_change(one['inputs']) or '-'}, mulai {one['inputs']['from']}"
        found.append((one["name"], one["as_of"], change, one["figures"]))
    return found


def _change(inputs: Mapping[str, Any]) -> str:
    return ", ".join(words.format(inputs[name]) for name, words in _INPUTS if inputs[name])


def show(answer: Mapping[str, Any], out: Console) -> None:
    """Prints the tables: all scenarios beside each other; of the question also its months and districts."""
    shown = scenarios(answer)
    place = f"{answer['regency']} {answer['year']} {answer['funding']}"
    out.print(
        f"{TITLE} {place}, {answer['from']} s.d. {answer['year']}-12: {answer['workers']} pekerja", soft_wrap=True
    )
    out.print(side_by_side(shown))
    name, _, _, figures = shown[1] if len(shown) > 1 and _change(answer["scenario"]["inputs"]) else shown[0]
    out.print(f"\n{name}, menurut bulan")
    out.print(months(figures))
    out.print(f"\n{name}, menurut kecamatan")
    out.print(districts(figures))
    out.print(NOTE, soft_wrap=True)
    if answer["scenario"]["name"]:
        out.print(f"disimpan sebagai {answer['scenario']['name']}", soft_wrap=True)


def side_by_side(shown: Sequence[Scenario]) -> Table:
    """One column a scenario."""
    table = Table("", *(name for name, *_ in shown), box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    rows: list[tuple[str, list[str]]] = [
        ("keadaan", [as_of[:10] for _, as_of, _, _ in shown]),
        ("perubahan", [change for _, _, change, _ in shown]),
    ]
    all_figures = [figures for *_, figures in shown]
    for title, key in (("pagu", "ceilings"), ("sudah ditagih", "committed"), ("dicadangkan", "reserved")):
        rows += _both(title, key, all_figures)
    rows += [
        ("tetap terlindungi", [str(one["keep"]) for one in all_figures]),
        ("kehilangan perlindungan", [str(one["lose"]) for one in all_figures]),
        ("mulai bulan", [_first_missed(one) for one in all_figures]),
        ("bulan perlindungan hilang", [str(one["months_lost"]) for one in all_figures]),
        ("manfaat yang hilang", [rupiah(one["exposed"]) for one in all_figures]),
        ("JKK habis", [one["ends"]["jkk"] or "cukup" for one in all_figures]),
        ("JKM habis", [one["ends"]["jkm"] or "cukup" for one in all_figures]),
    ]
    for title, key in (("sisa", "left"), ("biaya memulihkan", "restore")):
        rows += _both(title, key, all_figures)
    for title, cells in rows:
        table.add_row(title, *cells)
    return table


def _both(title: str, key: str, all_figures: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    return [(f"{title} {name.upper()}", [rupiah(one[key][name]) for one in all_figures]) for name in ("jkk", "jkm")]


def _first_missed(figures: Mapping[str, Any]) -> str:
    first = figures["first_missed"]
    return "-" if first is None else f"{first['period']} ({' dan '.join(first['accounts'])})"


def months(figures: Mapping[str, Any]) -> Table:
    """One row a month; the order of workers is that of a run."""
    table = Table(box=None)
    for title in ("bulan", "pekerja", "ditagih", "sudah ditagih", "tanpa perlindungan", "tidak memenuhi syarat"):
        table.add_column(title, justify="left" if title == "bulan" else "right")
    for title in ("terjangkau s.d. urutan", "verifikasi sejak", "biaya", "sisa JKK", "sisa JKM", "manfaat yang hilang"):
        table.add_column(title, justify="right")
    for one in figures["months"]:
        counts = (one["workers"], one["billed"], one["already_billed"], one["missed"], sum(one["barred"].values()))
        reached = "semua" if one["reached"] is None else str(one["reached"])
        money = (one["cost"]["total"], one["left"]["jkk"], one["left"]["jkm"], one["exposed"])
        table.add_row(one["period"], *map(str, counts), reached, one["missed_from"] or "-", *map(rupiah, money))
    return table


def districts(figures: Mapping[str, Any]) -> Table:
    """One row a district, the new workers last."""
    table = Table(box=None)
    for title in ("kecamatan", "pekerja", "tetap", "hilang", "mulai", "bulan hilang", "manfaat yang hilang"):
        table.add_column(title, justify="left" if title == "kecamatan" else "right")
    for one in figures["districts"]:
        counts = (str(one[name]) for name in ("workers", "keep", "lose"))
        lost = (one["lost_from"] or "-", str(one["months_lost"]), rupiah(one["exposed"]))
        table.add_row(one["name"], *counts, *lost)
    return table


def as_csv(answer: Mapping[str, Any]) -> bytes:
    """UTF-8 with a header; one line a month, district and year of each scenario."""
    return "".join(separated.line(row, ",") for row in (HEADER, *rows(answer))).encode("utf-8")


def as_xlsx(answer: Mapping[str, Any]) -> bytes:
    """The same cells with typed numbers."""
    about = [("kabupaten", answer["regency"]), ("tahun", str(answer["year"])), ("sumber dana", answer["funding"])]
    about += [("keadaan", answer["as_of"]), ("mulai", answer["from"])]
    about += [(name, change) for name, _, change, _ in scenarios(answer)]
    return workbook.figures(TITLE, [*about, ("catatan", NOTE)], HEADER, list(rows(answer)))


def rows(answer: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    """The cells of a file, in the order of HEADER; the last row of a scenario is its year."""
    for name, as_of, _, figures in scenarios(answer):
        head = (name, as_of[:10])
        for one in figures["months"]:
            counts = (one["workers"], one["billed"] + one["already_billed"], one["missed"])
            lost = (one["period"] if one["missed"] else None, one["missed"])
            money = [*_two(one["cost"]), *_two(one["left"]), *_two(one["short"])]
            yield (*head, "bulan", one["period"], *counts, *lost, *money, one["exposed"])
        for one in figures["districts"]:
            counts = (one["workers"], one["keep"], one["lose"])
            lost = (one["lost_from"], one["months_lost"])
            yield (*head, "kecamatan", one["name"], *counts, *lost, *(None,) * 6, one["exposed"])
        first = figures["first_missed"]
        counts = (figures["keep"] + figures["lose"], figures["keep"], figures["lose"])
        lost = (first and first["period"], figures["months_lost"])
        cost = [sum(one["cost"][account] for one in figures["months"]) for account in ("jkk", "jkm")]
        money = [*cost, *_two(figures["left"]), *_two(figures["restore"])]
        yield (*head, "tahun", "total", *counts, *lost, *money, figures["exposed"])


def _two(accounts: Mapping[str, int]) -> tuple[int, int]:
    return accounts["jkk"], accounts["jkm"]
