"""What happens by itself to deals that enter, stay in or leave a stage, as an admin's rules say.

`coming_true` writes a firing in the transaction of a move, or when a stay has lasted; the outbox wakes `carrying_out`,
which does the actions declared in `kinds`, all of them and the firing's mark in one transaction. `rehearsing` says what
would have happened.
"""
