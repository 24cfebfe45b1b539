"""Sessions on every device that there is."""

import pytest

from live.common import PLACE


@pytest.fixture(scope="module")
def place(device):
    """Sessions that `session_for` makes sum their frames on `device`."""
    PLACE["device"] = device.name
    yield
    PLACE["device"] = "cpu"
