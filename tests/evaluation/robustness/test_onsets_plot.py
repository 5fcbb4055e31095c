from audiodae.evaluation.robustness.onsets_plot import draw_onsets


def test_a_picture_is_drawn_even_of_no_onsets(tmp_path):
    curve = {"ms": [12.5, 37.5], "mean_db": [-3.0, 0.0], "worst_db": [-20.0, -1.0]}
    nothing = {"ms": [], "mean_db": [], "worst_db": []}
    draw_onsets({"model": "toy", "after_onsets": {"clean speech": curve, "a shout": nothing}}, tmp_path / "onsets.png")
    assert (tmp_path / "onsets.png").read_bytes().startswith(b"\x89PNG")
