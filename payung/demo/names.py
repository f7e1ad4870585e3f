"""Words for the names of synthetic persons, in the style of Kutai, Bugis, Javanese, Banjar and Dayak families.

Each list holds common words; no combination means a real person.
"""

from __future__ import annotations

import random


def words(text: str) -> tuple[str, ...]:
    """A tuple of words, written as one text."""
    return tuple(text.split())


_MEN = words(
    "Ahmad Abdul Muhammad Syahrul Rusli Hamzah Baharuddin Sudirman Mansyur Arifin Jamaluddin Kasim Ambo Lapandi Tahang "
    "Slamet Sutrisno Supriyadi Wagiman Joko Budi Agus Bambang Sugeng Mulyono Paijo Suparno Hartono Eko Dwi "
    "Rusdiansyah Fahruddin Norman Zainal Hairul Syarkawi Gazali Iberahim Masran Jumri "
    "Awang Encek Sayid Mahdi Idrus Asmuni Saberan Darmansyah Johansyah "
    "Usat Lenjau Lawing Bit Ngau Jalung Ding Merang Ma'ruf Sa'ban Nur'din"
)
_WOMEN = words(
    "Siti Nurhayati Aminah Rohani Hasnah Fatimah Jumriah Nurlina Hasmiati Indo Tenri Rosmini Darmawati Kartini "
    "Sri Sulastri Suparmi Wagiyem Tumini Endang Yuli Lestari Ningsih Poniyem Sumarni Wati "
    "Norhayati Rusmini Mahrita Galuh Masniah Jamilah Rabiatul Salasiah Barlian "
    "Dayang Encik Rahmah Asiah Zubaidah Mariyam "
    "Ping Bulan Lahai Uring Yeq Nur'aini Sa'diah Ma'rifah"
)
_LAST = words(
    "Rahman Hidayat Saputra Wijaya Kusuma Santoso Effendi Hakim Ramadhan Firmansyah Maulana Siregar Latif Yusuf Idris "
    "Salim Tahir Beddu Mappa Patta Lolo Sakka Rauf Anwar Jafar Basri Hasan Husin Arsyad Bahri Noor Jamal Suhardi "
    "Purnomo Prasetyo Utomo Riyadi Setiawan Gunawan Wibowo Susanto Handoko Kurniawan Pratama Lestari Anggraini "
    "Pelita Njau Lian Usang Apui Ifung Luhat Ibau Ncuk La'lang"
)
_NOBLE = {"M": ("Andi", "Aji", "Awang", "Daeng"), "F": ("Andi", "Aji", "Dayang", "Besse")}
_PILGRIM = {"M": "H.", "F": "Hj."}
_DEGREES = ("S.Pd", "S.E.", "A.Md")

BIRTH_PLACES = words(
    "Sangatta Sangkulirang Bengalon Tenggarong Samboja Samarinda Bontang Balikpapan Banjarmasin Makassar Bone Wajo "
    "Sinjai Surabaya Malang Blitar Nganjuk Kediri Lamongan Ende Maumere Toraja Mamuju Tarakan"
)


def full_name(rng: random.Random, sex: str) -> str:
    """A full name: one to three words, sometimes with a title or a degree."""
    first = rng.choice(_MEN if sex == "M" else _WOMEN)
    kind = rng.random()
    if kind < 0.18:
        name = first
    elif kind < 0.82:
        name = f"{first} {rng.choice(_LAST)}"
    elif kind < 0.92:
        name = f"{first} {rng.choice(_MEN if sex == 'M' else _WOMEN)} {rng.choice(_LAST)}"
    else:
        name = f"{rng.choice(_NOBLE[sex])} {first} {rng.choice(_LAST)}"
    if kind > 0.2 and rng.random() < 0.04:
        name = f"{_PILGRIM[sex]} {name}"
    if kind > 0.2 and rng.random() < 0.01:
        name = f"{name}, {rng.choice(_DEGREES)}"
    return name.upper()
