from pathlib import Path

import pytest

from tests.cli.process import assert_refused, audiodae, here

SHIPPED = Path(__file__).parents[2] / "recipes" / "compare_autoencoders.toml"
TINY = [
    'spoken.families=["undercomplete"]',
    'handwritten.families=["undercomplete"]',
    "spoken.by_speaker=[]",
    "handwritten.train_most=100",
    "seeds=[1]",
    *(f'{kind}.overrides=["run.epochs=1"]' for kind in ("spoken", "handwritten")),
]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    out = tmp_path_factory.mktemp("compare") / "families"
    settings = [word for override in TINY for word in ("--set", override)]
    return audiodae("compare", SHIPPED, "--out", out, "--jobs", 1, *settings), out


def test_one_command_from_nothing_to_a_report(done):
    run, out = done
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("7 runs in ") and run.stdout.endswith(f"{out / 'report.html'}\n")
    assert {path.name for path in out.iterdir()} == {"runs", "figures", "report.md", "report.html"}


def test_what_a_user_can_get_wrong_is_one_line(tmp_path):
    for more, message in (
        (["--set", "seds=[1]"], "did you mean seeds"),
        (["--spoken", tmp_path / "none"], "no such folder"),
        (["--handwritten", tmp_path], "images"),
    ):
        done = here("compare", SHIPPED, "--out", "out", "--jobs", 1, *more, cwd=tmp_path)
        assert_refused(done, message)
