"""Bringing records in from files: bytes → rows → values → plans → records, each step of it in a module of its own.

`reading` and `decoding` make rows of bytes; `mapping`, `columns` and `values` make values of cells; a kind's importer
(`planning`, `references`) says what each row does; `engine` carries it out in steps; `undoing` takes it back.
"""
