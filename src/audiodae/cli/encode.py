"""`audiodae encode`: codes of recordings, for whatever comes after."""

from __future__ import annotations

import json
from pathlib import Path

import click

from audiodae.audio import refuse_unwritable
from audiodae.cli.options import codes_model_option, json_option, warn
from audiodae.errors import AudiodaeError

PATH = click.Path(path_type=Path)


@click.command(epilog="\b\nExample:\n  audiodae encode recordings -o codes.npz")
@click.argument("source", metavar="IN", type=PATH)
@click.option("-o", "--out", type=PATH, required=True, metavar="CODES.npz", help="The file to write.")
@codes_model_option
@click.option("--overwrite", is_flag=True, help="Replace CODES.npz where it exists.")
@json_option
def encode(source: Path, out: Path, model: str | None, overwrite: bool, as_json: bool) -> None:
    """Encode the sound file IN, or all below the folder IN: a few numbers a patch of sound, learnt without labels.

    CODES.npz holds codes (patches, width), recording (which of names each patch is of), seconds (where it begins) and
    names. numpy.load reads it.

    Needs pip install "audiodae[train,evaluate]".
    """
    from audiodae.uses.encoding import encode_recordings, write_codes
    from audiodae.uses.recordings import load_network, read_recordings

    if out.suffix != ".npz":
        raise click.UsageError(f"{out}: name a file that ends in .npz")
    refuse_unwritable(out)
    if out.exists() and not overwrite:
        raise AudiodaeError(f"{out}: exists already; name another output or give --overwrite")
    network = load_network(model)
    codes = encode_recordings(network, read_recordings(source, network, warn=warn))
    write_codes(out, codes)
    patches, width = codes.codes.shape
    if as_json:
        found = {"output": str(out), "recordings": len(codes.names), "patches": patches, "width": width}
        click.echo(json.dumps({**found, "network": codes.network}))
    else:
        click.echo(f"{out}: {len(codes.names)} recordings, {patches} patches, codes of {width}")
