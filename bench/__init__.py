"""Measurements against a floor; never part of the tests."""
