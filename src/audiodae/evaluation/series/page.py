"""The report on cleaners of ECG as one HTML page that needs nothing else: no script, no net, pictures inside."""

import base64
from collections.abc import Sequence
from html import escape

from audiodae.evaluation.series.report import EcgReport, summary, tables
from audiodae.evaluation.series.tables import Table

STYLE = """
body { max-width: 80rem; margin: 2rem auto 4rem; padding: 0 1.5rem; color: #1b2733;
  font: 15px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
h1 { font-size: 1.8rem; } h2 { margin-top: 2.6rem; font-size: 1.25rem; }
p { max-width: 50rem; color: #5c6b7a; } img { max-width: 100%; } figure { margin: 1.6rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #e3e8ed; }
th:first-child { text-align: left; font-weight: 500; } thead th { color: #5c6b7a; border-bottom-width: 2px; }
tr.examined { background: #e6f5f4; font-weight: 600; }
"""


def report_html(report: EcgReport, pictures: Sequence[tuple[str, str, bytes]] = ()) -> str:
    """The page, complete: it can be sent by itself. Pictures as (file name, what it shows, PNG)."""
    title = escape(f"ECG: {report.examined}")
    body = "".join(_picture(said, png) for _, said, png in pictures)
    body += "".join(_section(table, report.examined) for table in tables(report))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>"
        f"<p>{escape(summary(report))}</p>{body}</body></html>\n"
    )


def _picture(said: str, png: bytes) -> str:
    encoded = base64.b64encode(png).decode()
    image = f'<img src="data:image/png;base64,{encoded}" alt="{escape(said)}">'
    return f"<figure>{image}<figcaption><p>{escape(said)}</p></figcaption></figure>"


def _section(table: Table, examined: str) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.head)
    rows = "".join(_row(cells, examined) for cells in table.rows)
    return (
        f"<h2>{escape(table.title)}</h2><p>{escape(table.text)}</p>"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _row(cells: Sequence[str], examined: str) -> str:
    first, *others = cells
    marked = ' class="examined"' if first == examined else ""
    return (
        f'<tr{marked}><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in others)}</tr>'
    )
