import pytest

from tests.uses.made_up import IN_NOISE, trained


@pytest.fixture(scope="session")
def network():
    """One that keeps its code in noise."""
    return trained("denoising-mixed", *IN_NOISE)


@pytest.fixture(scope="session")
def generator():
    """One whose codes are even around every code."""
    return trained()
