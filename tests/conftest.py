"""Hypothesis without a clock: how long an example takes depends on who else uses the machine."""

from hypothesis import settings

settings.register_profile("crewe", deadline=None, print_blob=True)
settings.load_profile("crewe")
