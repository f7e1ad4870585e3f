"""The list files of agencies: reading them into events to publish, writing the answers beside their rows."""

from payung.lists.answers import Answer, answers_path, read_answers, write
from payung.lists.columns import Kind
from payung.lists.errors import HeaderError, ListError
from payung.lists.reader import open_list, read
from payung.lists.rows import ListFile, Problem, Row

__all__ = [
    "Answer",
    "HeaderError",
    "Kind",
    "ListError",
    "ListFile",
    "Problem",
    "Row",
    "answers_path",
    "open_list",
    "read",
    "read_answers",
    "write",
]
