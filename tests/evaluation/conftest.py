import pytest

from tests.evaluation.made_up import write_gate, write_pairs


@pytest.fixture(scope="session")
def gate(tmp_path_factory):
    return write_gate(tmp_path_factory.mktemp("network") / "gate.onnx")


@pytest.fixture(scope="session")
def pair_folders(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("pairs"))
