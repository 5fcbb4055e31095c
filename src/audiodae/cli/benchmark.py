"""`audiodae benchmark`: our networks and others on the same files."""

from __future__ import annotations

from pathlib import Path

import click

PATH = click.Path(path_type=Path)


@click.command(epilog="\b\nExample:\n  audiodae benchmark test/clean test/noisy --out report")
@click.argument("clean_dir", type=PATH)
@click.argument("noisy_dir", type=PATH)
@click.option("--out", type=PATH, required=True, help="Folder for report.md, scores.csv, quality.png and the sounds.")
@click.option("--model", "models", multiple=True, metavar="NAME|PATH", help="Network.  [default: all shipped]")
@click.option("--peer", "peers", multiple=True, metavar="NAME", help="Other denoiser.  [default: all installed]")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that score.")
@click.option("--overwrite", is_flag=True, help="Replace a report that is in --out already.")
def benchmark(
    clean_dir: Path,
    noisy_dir: Path,
    out: Path,
    models: tuple[str, ...],
    peers: tuple[str, ...],
    jobs: int,
    overwrite: bool,
) -> None:
    """Compare denoisers on pairs of files of one name in CLEAN_DIR and NOISY_DIR, mono at 16 kHz.

    Beside the shipped networks: what goes in, the best that gains can do (oracle), and noisereduce, RNNoise, WebRTC,
    SpeexDSP, DPDFNet and DeepFilterNet where they are installed. With `speechmos` installed, DNSMOS too.
    """
    from audiodae.errors import AudiodaeError
    from audiodae.evaluation.benchmark import benchmark as run
    from audiodae.evaluation.benchmark_report import draw, to_csv, to_markdown
    from audiodae.evaluation.pairs import find_pairs
    from audiodae.evaluation.peers import PEERS
    from audiodae.network import Network, shipped_networks

    if unknown := [peer for peer in peers if peer not in PEERS]:
        raise click.BadParameter(f"{unknown[0]!r}; known are {', '.join(PEERS)}", param_hint="--peer")
    report = out / "report.md"
    if report.exists() and not overwrite:
        raise AudiodaeError(f"{report}: exists already; name another --out or give --overwrite")
    pairs = find_pairs(clean_dir, noisy_dir)
    results, left_out = run(
        clean_dir,
        noisy_dir,
        pairs,
        out,
        networks=models or tuple(name for name, path in shipped_networks().items() if Network.load(path).card.frames),
        peers=peers or tuple(PEERS),
        jobs=jobs,
        note=lambda text: click.echo(text, err=True),
    )
    text = to_markdown(results, left_out)
    report.write_text(text, encoding="utf-8")
    (out / "scores.csv").write_text(to_csv(results), encoding="utf-8", newline="")
    draw(results, out / "quality.png")
    click.echo(text)
