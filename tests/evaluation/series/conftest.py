import pytest

from audiodae.evaluation.series.sets import MixedSet
from tests.evaluation.series.made_up import write_folders


@pytest.fixture(scope="session")
def ecg_folders(tmp_path_factory):
    return write_folders(tmp_path_factory.mktemp("ecg"))


@pytest.fixture(scope="session")
def mixed(ecg_folders):
    return MixedSet(*ecg_folders, seconds=10, snrs_db=(-6.0, 6.0))
