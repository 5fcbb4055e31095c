"""The Python of docs/series.md runs; tests/test_docs.py looks after the rest of the page."""

import numpy as np

from tests import series_networks
from tests.test_docs import ROOT, blocks


def test_the_python_of_the_page_runs(tmp_path, monkeypatch, capsys):
    code = blocks((ROOT / "docs" / "series.md").read_text(), "python")
    assert code
    # A file of that name is taken where no network of that name is shipped.
    (tmp_path / "ecg").write_bytes(series_networks.scaled(0.5).SerializeToString())
    values = np.random.default_rng(12).normal(0, 1, 7200)
    (tmp_path / "in.csv").write_text("ecg\n" + "".join(f"{value:.3f}\n" for value in values))
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in code:
        exec(compile(block, "series.md", "exec"), names)
    assert "7200 samples, 0 of them gaps" in capsys.readouterr().out
    assert names["clean"].shape == (7200, 1)
