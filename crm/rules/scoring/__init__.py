"""Scoring leads: learning from outcomes, measuring what was learned, and applying it with its reasons.

Only `learning`, `boosting` and `evaluating` import scikit-learn, and only jobs and commands import those: web processes
score a new lead with `additive` alone, which is plain Python over the numbers in `ScoreModel.parameters`.
"""
