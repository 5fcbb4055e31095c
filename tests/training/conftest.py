"""Shared by the tests of training: one prepared folder and one finished tiny run."""

import pytest

from audiodae.training.trainer import train
from tests.prep.made_banks import make_prepared
from tests.training.tiny import tiny_recipe


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    return make_prepared(tmp_path_factory.mktemp("prepared"))


@pytest.fixture(scope="session")
def finished(prepared, tmp_path_factory):
    """A run folder that nothing interrupted."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train(tiny_recipe(prepared), folder)
    return folder
