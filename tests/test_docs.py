"""The docs hold: their Python runs, their links lead somewhere, generated pages are what the code says."""

import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiodae.cli import COMMANDS
from tests.networks import smoothing

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "tests" / "README.md"])
PAGES_WITH_PYTHON = ["README.md", "docs/cleaning.md", "docs/codes.md", "docs/streaming.md"]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
OLD = "made again by `make docs`"


def blocks(page, language):
    """The code of a page in one language, in order."""
    return [code for found, code in FENCE.findall(page) if found == language]


def commands(text):
    """Names of `audiodae NAME` in a page's code."""
    code = "\n".join([*(code for _, code in FENCE.findall(text)), *re.findall(r"`([^`\n]+)`", FENCE.sub("", text))])
    return set(re.findall(r"(?:^|[|&;] *|bin/)audiodae ([a-z]+)", code, re.MULTILINE))


def stale(page, fresh):
    """Whether a generated page differs from what would be written now."""
    return page != fresh


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a noisy.wav, and a network by default that needs no training."""
    noise = np.random.default_rng(5).normal(0, 0.05, 16_000)
    soundfile.write(tmp_path / "noisy.wav", noise, 16_000)
    (tmp_path / "network.onnx").write_bytes(smoothing().SerializeToString())
    monkeypatch.setenv("AUDIODAE_MODEL", str(tmp_path / "network.onnx"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", PAGES_WITH_PYTHON)
def test_the_python_of_a_page_runs(name, place):
    code = blocks((ROOT / name).read_text(), "python")
    assert code, f"{name} has no Python any more"
    names = {}
    for block in code:  # one after the other, as a reader would
        exec(compile(block, name, "exec"), names)


def test_python_that_fails_is_noticed(place):
    code = blocks("```python\nfrom audiodae import Denoiser\nDenoiser().clear([])\n```\n", "python")
    with pytest.raises(AttributeError):
        exec(code[0], {})


def test_the_stream_of_the_readme_gives_all(place):
    names = {}
    (code,) = blocks((ROOT / "README.md").read_text(), "python")
    exec(code, names)
    assert names["clean"].shape == names["noisy"].shape
    assert np.allclose(names["tail"], names["clean"][len(names["clean"]) - len(names["tail"]) :], atol=1e-6)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in LINK.findall(FENCE.sub("", page.read_text())):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} points to {target}"


def test_every_page_is_linked_from_another():
    linked = {(page.parent / target).resolve() for page in PAGES for target in LINK.findall(page.read_text())}
    docs = {path for path in (ROOT / "docs").rglob("*.md") if path.name != "index.md"}
    assert docs - linked == set()


def test_the_index_links_every_page():
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / target).resolve() for target in LINK.findall(index.read_text())}
    assert {*PAGES} - linked == {index}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_docs_exist(page):
    assert commands(page.read_text()) <= set(COMMANDS)


def test_a_made_up_command_is_caught():
    assert commands("```sh\nffmpeg | audiodae polish --now\n```\nor `audiodae clean`") == {"polish", "clean"}


def test_every_command_stands_in_the_docs():
    page = (ROOT / "docs" / "cli.md").read_text()
    assert "\\b" not in page  # click's mark in a raw docstring, where it does not work
    for name in COMMANDS:
        assert f"## audiodae {name}\n" in page
        assert "\n  Example" in page.partition(f"## audiodae {name}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize(
    ("name", "maker"),
    [("cli.md", "cli_page"), ("recipe.md", "recipe_page"), ("family-recipe.md", "family_recipe_page")],
)
def test_generated_pages_are_fresh(name, maker):
    pytest.importorskip("msgspec")
    fresh = runpy.run_path(str(ROOT / "docs" / "generate.py"))[maker]()
    page = (ROOT / "docs" / name).read_text()
    assert not stale(page, fresh), f"docs/{name} is old: it is {OLD}"
    assert stale(page.replace("Default", "default").replace("default", "usual"), fresh)


def test_the_page_of_inputs_is_what_happens():
    command = [sys.executable, ROOT / "docs" / "inputs.py"]
    fresh = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    page = (ROOT / "docs" / "inputs.md").read_text().splitlines()
    assert len(page) == len(fresh) and sum(line.startswith("| ") for line in page) > 100, f"it is {OLD}"
    for old, new in zip(page, fresh, strict=True):
        if " | not run: " in new:  # a program is missing here: the input and the command at least are the same
            old, new = old.partition("` |")[0], new.partition("` |")[0]
        assert not stale(old, new), f"docs/inputs.md is old: it is {OLD}"


def test_the_recipe_page_is_the_default_recipe():
    recipe = pytest.importorskip("audiodae.training.recipe")
    recipe_file = pytest.importorskip("audiodae.training.recipe_file")
    tables = tomllib.loads("\n".join(blocks((ROOT / "docs" / "recipe.md").read_text(), "toml")))
    assert recipe_file.decode_recipe(tables, source="docs/recipe.md") == recipe.Recipe()


def test_the_first_screen_cleans_trains_and_embeds():
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:35])
    for needed in ("audiodae clean", "recipes/train_speech.sh", "from audiodae import Denoiser", "stream.feed"):
        assert needed in first_screen
