"""The import wizard: a file is uploaded, read, asked about, checked and brought in, a few steps at a time.

Each stage is a state of `ImportRun`; `carrying` does what the present one wants, in a request where it takes a moment,
else in a worker. The rows themselves go through `crm.rules.records`, as a command's do.
"""
