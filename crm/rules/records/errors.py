"""What can stop an import before its first row."""

from crm.rules.errors import RuleError


class Unreadable(RuleError):
    """The file could not be read at all; the message says what it looks like and what was expected."""

    code = "unreadable"


class Question(RuleError):
    """The file can be read in two ways; the message says which, and which line of the mapping answers it."""

    code = "ambiguous"


class MappingRefused(RuleError):
    """The mapping is not TOML, names what does not exist, or leaves out what is required."""

    code = "mapping"


class ReportRefused(RuleError):
    """The report cannot be written where it was asked for; nothing was imported."""

    code = "report"
