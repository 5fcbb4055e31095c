"""The page of a patch autoencoder, models/NAME.md: Markdown from the card inside models/NAME.safetensors."""

import textwrap
from pathlib import Path

from audiodae.markdown_table import markdown_table
from audiodae.training.export_codes import read_card

WIDTH = 118


def codes_page(path: Path) -> str:
    """What a patch autoencoder is, what it was made from and how, how good it is and what it cannot do."""
    card = read_card(path)
    patches, recipe = card["recipe"]["patches"], card["recipe"]
    hop_s = patches["window_ms"] / 2000
    facts = (
        f"A patch autoencoder of the family {recipe['family']['name']}: {card['parameters']:,} parameters, codes of "
        f"{recipe['code']['width']} for patches of {patches['bands']} bands and {patches['frames']} frames "
        f"({patches['frames'] * hop_s:.2f} s at {patches['sample_rate']:,} Hz). Licence of the weights: "
        f"{card['licence']}."
    )
    measured = [[name, f"{value:.3g}"] for name, value in card["metrics"].items()]
    error = (
        "Mean squared error of a value on patches held out, with noise as in the training: "
        f"{card['validation_error']:.4f}."
    )
    return (
        "\n\n".join(
            [
                f"# `{card['name']}`, version {card['version']}",
                "<!-- Written by `make docs` from the card inside the file: change the card, not this page. -->",
                textwrap.fill(facts, WIDTH),
                "## Made from",
                textwrap.fill(card["data"], WIDTH),
                f"{card['epochs']} epochs, seed {recipe['run']['seed']}.",
                "## Made by",
                f"```sh\n{card['made_by']}\n```",
                "## How good it is",
                error,
                markdown_table([["what", "measured"], *measured]),
                "## What it does not do",
                textwrap.fill(card["limits"], WIDTH),
            ]
        )
        + "\n"
    )
