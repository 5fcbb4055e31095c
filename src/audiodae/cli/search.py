"""`audiodae search`: the recordings of a library that sound most like one."""

from __future__ import annotations

import json
from pathlib import Path

import click

from audiodae.cli.options import codes_model_option, json_option, warn
from audiodae.errors import AudiodaeError, one_line

PATH = click.Path(path_type=Path)


@click.command(epilog="\b\nExample:\n  audiodae search recordings query.wav --top 3")
@click.argument("library", type=PATH)
@click.argument("query", type=PATH)
@click.option("--top", type=click.IntRange(min=1), default=5, show_default=True, help="How many to show.")
@codes_model_option
@json_option
def search(library: Path, query: Path, top: int, model: str | None, as_json: bool) -> None:
    """Show the recordings of LIBRARY that are most like the sound file QUERY, nearest first.

    LIBRARY is a folder, or what `audiodae encode` made of one: then only QUERY is encoded. The distance is that between
    two codes; what it means depends on the network.

    Needs pip install "audiodae[train,evaluate]".
    """
    from audiodae.uses.encoding import encode_recordings, read_codes
    from audiodae.uses.recordings import load_network, read_recording, read_recordings
    from audiodae.uses.search import nearest

    if not library.exists():
        raise AudiodaeError(f"{library}: no such folder or file of codes")
    network = load_network(model)
    asked = encode_recordings(network, [(query.name, read_recording(query, network))])
    if library.is_dir():
        known = encode_recordings(network, read_recordings(library, network, warn=warn))
    else:
        known = read_codes(library)
    matches = nearest(known, asked, top=top)
    if as_json:
        click.echo(json.dumps([{"recording": match.name, "distance": match.distance} for match in matches]))
        return
    for match in matches:
        click.echo(f"{match.distance:10.4f}  {one_line(match.name)}")
