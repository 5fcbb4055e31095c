"""The tables of a comparison: means over the seeds with their spread, the best of each column marked."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from audiodae.markdown_table import markdown_table
from audiodae.training.families import FAMILIES

Found = Mapping[str, Any]  # what a run left
BASELINES = {"pca": "PCA", "raw": "raw patch", "log-mel-parts": "log-mel, five parts"}


@dataclass(frozen=True)
class Column:
    """A measure, or how its numbers are shown.

    Attributes
    ----------
    title : over the column
    measure : its name in a run's measures
    digits : after the decimal point; None shows thousands
    better : higher, lower, or "" where no value is best
    """

    title: str
    measure: str
    digits: int | None = 3
    better: str = "higher"


@dataclass(frozen=True)
class Cell:
    """A mean over seeds, how far they spread (sample standard deviation), and whether it is the best of its column."""

    mean: float | None
    spread: float | None = None
    best: bool = False
    digits: int | None = 3

    @property
    def number(self) -> str:
        """The mean as shown; a dash where nothing was measured."""
        if self.mean is None:
            return "–"
        return f"{self.mean:,.0f}" if self.digits is None else f"{self.mean:.{self.digits}f}"

    @property
    def text(self) -> str:
        """The mean and the spread as shown."""
        shown_spread = self.spread is not None and self.digits is not None
        return f"{self.number} ± {self.spread:.{self.digits}f}" if shown_spread else self.number


@dataclass(frozen=True)
class Table:
    """Rows of cells under titles, a name before each row.

    Attributes
    ----------
    caption : what is measured, in a sentence or two
    titles : of the columns, the names' first
    rows : name to cells; a text stands for itself
    """

    caption: str
    titles: Sequence[str]
    rows: Mapping[str, Sequence[Cell | str]]


def by_method(found: Iterable[Found], subject: str, *, held_out: bool = False) -> dict[str, list[Found]]:
    """The runs on one kind of digits, by method: baselines first, then the families as they stand in their table."""
    mine = [of for of in found if of["run"]["subject"] == subject and (of["run"]["held_out"] is not None) == held_out]
    names = [*BASELINES, *FAMILIES]
    grouped = {name: [of for of in mine if of["run"]["method"] == name] for name in names}
    return {name: runs for name, runs in grouped.items() if runs}


def values(runs: Sequence[Found], measure: str) -> list[float]:
    """A measure of each run that has it."""
    return [of["measures"][measure] for of in runs if measure in of["measures"]]


def mean(runs: Sequence[Found], measure: str) -> float:
    """The mean of a measure that every run has."""
    return statistics.fmean(values(runs, measure))


def make_table(caption: str, runs: Mapping[str, Sequence[Found]], columns: Sequence[Column]) -> Table:
    """A row for each method that has one of the measures."""
    cells = {
        name: [_cell(values(of, column.measure), column.digits) for column in columns] for name, of in runs.items()
    }
    kept = {name: row for name, row in cells.items() if any(cell.mean is not None for cell in row)}
    for place, column in enumerate(columns):
        best = _best([row[place] for row in kept.values()], column.better)
        for row in kept.values():
            row[place] = replace(row[place], best=row[place].number == best)
    return Table(caption, ["method", *(column.title for column in columns)], {shown(n): row for n, row in kept.items()})


def shown(method: str) -> str:
    """A method's name in the report."""
    return BASELINES.get(method, method)


def to_markdown(table: Table) -> str:
    """The table as Markdown, best values bold."""
    rows = [[name, *map(_as_markdown, row)] for name, row in table.rows.items()]
    return f"{markdown_table([table.titles, *rows])}\n\n{table.caption}"


def _as_markdown(cell: Cell | str) -> str:
    if isinstance(cell, str):
        return cell
    return f"**{cell.text}**" if cell.best else cell.text


def _cell(found: Sequence[float], digits: int | None) -> Cell:
    if not found:
        return Cell(None)
    return Cell(statistics.fmean(found), statistics.stdev(found) if len(found) > 1 else None, digits=digits)


def _best(cells: Sequence[Cell], better: str) -> str:
    """The best mean as it is shown, so that what looks the same is marked the same."""
    there = [cell for cell in cells if cell.mean is not None]
    if not better or len(there) < 2:
        return ""
    choose = max if better == "higher" else min
    return choose(there, key=lambda cell: cell.mean or 0.0).number
