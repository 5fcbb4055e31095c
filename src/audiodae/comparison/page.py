"""A report as one HTML page that needs nothing else: no script, no net, pictures inside."""

import base64
import re
from collections.abc import Sequence
from html import escape

from audiodae.comparison.document import TITLE, Part, Picture, Section
from audiodae.comparison.tables import Cell, Table
from audiodae.comparison.verdicts import Verdict

STYLE = """
:root { --ink: #1b2733; --soft: #5c6b7a; --line: #e3e8ed; --tint: #f6f8fa; --accent: #0b7285; --best: #d3f0ee;
  --no: #c92a2a; }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
body { margin: 0; color: var(--ink); background: #fff;
  font: 15px/1.55 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
.page { display: grid; grid-template-columns: 14rem minmax(0, 74rem); gap: 2.5rem; max-width: 94rem; margin: 0 auto;
  padding: 0 2rem; }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow: auto; padding: 2.4rem 0;
  font-size: 14px; }
nav p { margin: 0 0 .6rem; font-weight: 600; }
nav a { display: block; padding: .28rem 0 .28rem .8rem; color: var(--soft); text-decoration: none;
  border-left: 2px solid var(--line); }
nav a:hover { color: var(--accent); border-color: var(--accent); }
main { padding: 2rem 0 5rem; }
h1 { margin: 0 0 .4rem; font-size: 2rem; line-height: 1.2; letter-spacing: -.015em; }
h2 { margin: 3.2rem 0 .5rem; padding-top: 1.4rem; border-top: 1px solid var(--line); font-size: 1.35rem; }
main > section:first-of-type h2 { margin-top: 1.6rem; }
section > p { max-width: 46rem; color: var(--soft); }
figure { margin: 1.8rem 0; }
figure img { display: block; max-width: 100%; height: auto; }
figcaption { max-width: 46rem; margin-top: .5rem; color: var(--soft); font-size: 13.5px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { padding: .34rem .55rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; white-space: normal; min-width: 4.6rem;
  border-bottom: 2px solid var(--line); }
th:first-child { position: sticky; left: 0; background: #fff; text-align: left; }
tbody th { font-weight: 500; }
.words th { text-align: left; }
tbody tr:hover > * { background: var(--tint); }
td.text { text-align: left; white-space: normal; }
td.best, tbody tr:hover > td.best { background: var(--best); font-weight: 650; }
td small { color: var(--soft); font-size: 11.5px; font-weight: 400; }
.holds { color: var(--accent); font-weight: 650; } .fails { color: var(--no); font-weight: 650; }
@media (max-width: 60rem) { .page { display: block; padding: 0 1rem; } nav { position: static; padding-bottom: 0; } }
@media print { nav { display: none; } .page { display: block; } }
"""


def to_html(sections: Sequence[Section]) -> str:
    """The page, complete: it can be sent by itself."""
    links = "".join(f'<a href="#{_anchor(of.title)}">{escape(of.title)}</a>' for of in sections)
    body = "".join(
        f'<section id="{_anchor(of.title)}"><h2>{escape(of.title)}</h2><p>{escape(of.text)}</p>'
        f"{''.join(map(_part, of.parts))}</section>"
        for of in sections
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{TITLE}</title><style>{STYLE}</style></head><body><div class='page'>"
        f"<nav aria-label='Contents'><p>Contents</p>{links}</nav><main><h1>{TITLE}</h1>{body}</main>"
        "</div></body></html>\n"
    )


def _part(part: Part) -> str:
    if isinstance(part, Picture):
        encoded = base64.b64encode(part.png).decode()
        image = f'<img src="data:image/png;base64,{encoded}" alt="{escape(part.caption)}" loading="lazy">'
        return f"<figure>{image}<figcaption>{escape(part.caption)}</figcaption></figure>"
    head, rows, caption, kind = _table(part) if isinstance(part, Table) else _verdicts(part)
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    table = f'<table class="{kind}"><thead><tr>{titles}</tr></thead><tbody>{rows}</tbody></table>'
    told = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure><div class="wide">{table}</div>{told}</figure>'


def _table(table: Table) -> tuple[Sequence[str], str, str, str]:
    """Titles, rows, caption, and whether it holds numbers or words."""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(map(_cell, row))}</tr>' for name, row in table.rows.items()
    )
    words = all(isinstance(cell, str) for row in table.rows.values() for cell in row)
    return table.titles, rows, table.caption, "words" if words else "numbers"


def _verdicts(verdicts: Sequence[Verdict]) -> tuple[Sequence[str], str, str, str]:
    rows = "".join(
        f'<tr><td class="text">{escape(of.claim)}</td><td class="text">{escape(of.measured)}</td>'
        f'<td class="text {"holds" if of.holds else "fails"}">{"✓ yes" if of.holds else "✗ no"}</td></tr>'
        for of in verdicts
    )
    return ("claim", "measured", "holds"), rows, "", "words"


def _cell(cell: Cell | str) -> str:
    if isinstance(cell, str):
        return f'<td class="text">{escape(cell)}</td>'
    number, plus_minus, spread = cell.text.partition(" ± ")
    small = f" <small>{plus_minus.strip()} {spread}</small>" if spread else ""
    return f"<td{' class=best' if cell.best else ''}>{number}{small}</td>"


def _anchor(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower()).strip("-")
