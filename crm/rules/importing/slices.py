"""A slice of time: so long a request or a job works on an import before it lets others have their turn."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Slice:
    """So many seconds from now."""

    seconds: float
    began: float = field(default_factory=time.monotonic)

    def give_up(self) -> None:
        """Let the time be up."""
        self.seconds = 0.0

    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() - self.began >= self.seconds
