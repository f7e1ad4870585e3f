"""The list files of agencies: reads them into events to publish, and writes the answers beside their rows."""

from shared.lists.answers import RowAnswer, answers_path, read_answers, write
from shared.lists.answers import lines as answer_lines
from shared.lists.answers import rows as answer_rows
from shared.lists.columns import ListKind
from shared.lists.errors import HeaderError, ListError
from shared.lists.reader import open_list, read
from shared.lists.rows import ListFile, Problem, Row

__all__ = [
    "HeaderError",
    "ListError",
    "ListFile",
    "ListKind",
    "Problem",
    "Row",
    "RowAnswer",
    "answer_lines",
    "answer_rows",
    "answers_path",
    "open_list",
    "read",
    "read_answers",
    "write",
]
