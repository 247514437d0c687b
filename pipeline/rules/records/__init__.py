"""Bringing in deals and what belongs to them. It writes stages and visits in bulk, as nothing else but `moving` may."""
