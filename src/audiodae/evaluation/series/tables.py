"""A table of a report: cells of text, as Markdown that reads as plain text too."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from audiodae.markdown_table import markdown_table

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
    """A heading, the words and the table."""
    rows = markdown_table([table.head, *table.rows])
    return f"## {table.title}\n\n{textwrap.fill(table.text, WIDTH)}\n\n{rows}\n"


def number(value: float, decimals: int) -> str:
    """A cell; a dash where there is no number."""
    return "-" if value != value else f"{value:.{decimals}f}"
