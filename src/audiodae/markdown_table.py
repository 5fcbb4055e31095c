"""Tables in Markdown that read as plain text too: the columns are padded."""

from collections.abc import Collection, Sequence


def markdown_table(rows: Sequence[Sequence[str]], *, texts: Collection[int] = (0,)) -> str:
    """Write a table.

    Parameters
    ----------
    rows : cells, as many in each; the first row are the titles of the columns
    texts : columns of words, which begin at the left; the others hold numbers and end at the right

    Returns
    -------
    table : lines without the last line feed
    """
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]  # 3: what a rule has at the least
    rule = ["-" * width if place in texts else "-" * (width - 1) + ":" for place, width in enumerate(widths)]
    return "\n".join(_line(cells, widths, texts) for cells in (rows[0], rule, *rows[1:]))


def _line(cells: Sequence[str], widths: Sequence[int], texts: Collection[int]) -> str:
    padded = (
        cell.ljust(width) if place in texts else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join(padded)} |"
