"""Journeys in a real browser against the real product, screenshots, and measurements with big data: `tests.e2e.run`."""
