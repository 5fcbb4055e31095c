import pytest

from tests.cli.process import assert_refused, audiodae, here
from tests.comparison.ablation.small import write_ablation
from tests.prep.made_banks import make_prepared

ROW = '[[row]]\ngroup = "code"\nname = "none"\nset = ["network.code=none"]'


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with what is prepared and the rows."""
    folder = tmp_path_factory.mktemp("ablate")
    make_prepared(folder / "prepared")
    write_ablation(folder, "elsewhere", rows=ROW)
    return folder


@pytest.fixture(scope="module")
def done(place):
    return audiodae(
        *("ablate", "rows.toml", "--prepared", "prepared", "--out", "out", "--set", "base_seeds=[1]"), cwd=place
    )


def test_one_command_from_rows_to_tables(done, place):
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 runs in ") and done.stdout.endswith(" min: out/ablation.md\n")
    assert [line for line in done.stderr.splitlines() if " of 2: " in line] == [
        "1 of 2: base, seed 1: done",
        "2 of 2: code: none, seed 1: done",
    ]
    assert {path.name for path in (place / "out").iterdir()} == {"runs", "ablation.md", "ablation.csv", "ablation.png"}
    assert "## code" in (place / "out" / "ablation.md").read_text()


def test_the_same_command_again_does_nothing_anew(done, place):
    assert done.returncode == 0
    table = (place / "out" / "ablation.csv").read_text()
    again = here(
        *("ablate", "rows.toml", "--prepared", "prepared", "--out", "out", "--set", "base_seeds=[1]"), cwd=place
    )
    assert (again.returncode, again.stderr) == (0, "")
    assert (place / "out" / "ablation.csv").read_text() == table


def test_what_a_user_can_get_wrong_is_one_line(place):
    for words, message in (
        (["rows.toml", "--prepared", "none"], "no such folder"),
        (["none.toml", "--prepared", "prepared"], "cannot be read as a recipe"),
        (["rows.toml", "--prepared", "prepared", "--set", "stepps=3"], "did you mean steps"),
        (["rows.toml", "--prepared", "prepared", "--out", "rows.toml"], "cannot make the folder"),
    ):
        assert_refused(here("ablate", *words, *(["--out", "new"] if "--out" not in words else []), cwd=place), message)
