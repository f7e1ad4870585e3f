"""Codecs that derive from the classes of the states: no stored shape is written by hand, so no field can be forgotten.

A dataclass, named tuple or contract model is stored as an object of its fields. A field marked `Personal` is sealed,
wherever it stands. Enums are stored by value, tuples as lists, and mappings as lists of pairs because keys may contain
dots. `record` and `row` say where a class differs from that. Texts and numbers are read as they were stored. A missing
field is an error, unless its shape says that it may be missing.
"""

from shared.runtime.codecs.deriving import Codecs
from shared.runtime.codecs.shapes import Shape, record, row

__all__ = ["Codecs", "Shape", "record", "row"]
