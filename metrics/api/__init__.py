"""The REST API of figures."""
