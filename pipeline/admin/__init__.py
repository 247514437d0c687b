"""The pipeline app in the admin, a subject a module."""

from pipeline.admin import automation, process

__all__ = ["automation", "process"]
