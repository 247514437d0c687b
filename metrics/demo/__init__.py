"""Invents two years of a believable company: the demo, the screenshots and the benchmarks live in it."""
