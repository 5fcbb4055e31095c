"""A table of a report: cells of text, as Markdown that reads as plain text too."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 118


@dataclass(frozen=True)
class Table:
    """A table with what is said of it.

    Attributes
    ----------
    title : a heading
    text : what the table shows and how to read it
    head : of each column
    rows : as many cells each; the first is what the row is of
    """

    title: str
    text: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def to_markdown(table: Table) -> str:
    """A heading, the words and the table, its columns padded."""
    widths = [max(map(len, column)) for column in zip(table.head, *table.rows, strict=True)]
    rule = ["-" * width if n == 0 else "-" * (width - 1) + ":" for n, width in enumerate(widths)]
    lines = [_line(cells, widths) for cells in (table.head, rule, *table.rows)]
    return "\n".join([f"## {table.title}", "", textwrap.fill(table.text, WIDTH), "", *lines]) + "\n"


def number(value: float, decimals: int) -> str:
    """A cell; a dash where there is no number."""
    return "-" if value != value else f"{value:.{decimals}f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if n else cell.ljust(width) for n, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"
