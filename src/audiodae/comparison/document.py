"""A report as a document: sections of tables, pictures and verdicts, and how it reads as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

from audiodae.comparison.tables import Table
from audiodae.comparison.tables import to_markdown as table_to_markdown
from audiodae.comparison.verdicts import Verdict
from audiodae.markdown_table import markdown_table

TITLE = "The autoencoder families, side by side"


@dataclass(frozen=True)
class Picture:
    """A figure as PNG, the name of its file, and what it shows."""

    name: str
    caption: str
    png: bytes


Part = Table | Picture | Sequence[Verdict]


@dataclass(frozen=True)
class Section:
    """A chapter of the report, in the order in which it is read."""

    title: str
    text: str
    parts: Sequence[Part]


def to_markdown(sections: Sequence[Section]) -> str:
    """The report as Markdown, pictures beside it."""
    blocks = [f"# {TITLE}"]
    for section in sections:
        blocks += [f"## {section.title}", section.text, *map(_as_markdown, section.parts)]
    return "\n\n".join(blocks) + "\n"


def _as_markdown(part: Part) -> str:
    if isinstance(part, Picture):
        return f"![{part.caption}](figures/{part.name}.png)\n\n{part.caption}"
    if isinstance(part, Table):
        return table_to_markdown(part)
    rows = [[of.claim, of.measured, "yes" if of.holds else "no"] for of in part]
    return markdown_table([["claim", "measured", "holds"], *rows], texts=range(3))
