"""Tables in Markdown."""

import pytest

from audiodae.markdown_table import markdown_table


def test_words_begin_at_the_left_and_numbers_end_at_the_right():
    assert markdown_table([["network", "dB"], ["a", "-12.5"], ["the other", "3"]]).splitlines() == [
        "| network   |    dB |",
        "| --------- | ----: |",
        "| a         | -12.5 |",
        "| the other |     3 |",
    ]


def test_which_columns_hold_words_can_be_said():
    assert markdown_table([["x", "y", "z"], ["1", "2", "3"]], texts=(1, 2)).splitlines() == [
        "|   x | y   | z   |",
        "| --: | --- | --- |",
        "|   1 | 2   | 3   |",
    ]


def test_a_row_that_lacks_a_cell_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        markdown_table([["x", "y"], ["1"]])
