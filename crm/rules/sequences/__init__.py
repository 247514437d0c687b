"""Sequences: how they are kept, who is taken through them, what each step does, and what ends them.

An automation enrols with `enrol_person(sequence, person=…, terms=Terms(by=None, sender=…, language=…), now=…)`; whoever
writes something about a person that may end a sequence says so with `reconsider(record, now=…)`.
"""
