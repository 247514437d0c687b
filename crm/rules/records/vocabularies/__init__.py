"""How other programs head their columns: a module a program, each a table; `recognising` reads them."""
