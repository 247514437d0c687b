"""The REST API of leads, activities and follow-ups, and what the API of every app shares.

An operation reads like a view: fetch and authorise, read a form, call the rule that the page calls, answer.
"""
