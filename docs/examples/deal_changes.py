"""Turn a log of field changes, as Pipedrive-like programs export it, into files that `import_records` reads.

    python docs/examples/deal_changes.py FOLDER OUT
    python manage.py import_records deals OUT/deals.csv --create-owners
    python manage.py import_records stage-history OUT/stage-history.csv

FOLDER holds deal_changes.csv (deal_id, change_time, changed_field_key, new_value), users.csv (id, name, email) and
fields.csv (FIELD_KEY, FIELD_VALUE_OPTIONS as JSON). Adapt STAGES to your own stages; the rest is likely to fit.
"""

import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# Their stage → ours. What they do after the contract is signed is one stage here: fulfilment, which wins the deal.
STAGES = {
    "1": "prospecting",
    "2": "qualification",
    "3": "meeting",
    "4": "proposal",
    "5": "negotiation",
    "6": "close",
    "7": "fulfilment",
    "8": "fulfilment",
    "9": "fulfilment",
}
WON = "fulfilment"
DEAL_COLUMNS = ["external_id", "name", "owner", "stage", "created_at", "outcome", "closed_at", "lost_reason"]


@dataclass
class Life:
    """One deal from its creation to its end."""

    external_id: str
    created_at: str
    owner: str = ""
    stays: list[tuple[str, str]] = field(default_factory=list)
    lost_at: str = ""
    lost_reason: str = ""

    @property
    def won_at(self) -> str:
        """When it first entered the stage that wins; a loss noted after that is a customer leaving, no lost deal."""
        return next((at for stage, at in self.stays if stage == WON), "")

    def deal_row(self) -> list[str]:
        """The deal as a row of deals.csv."""
        outcome = "won" if self.won_at else "lost" if self.lost_at else "open"
        stage = WON if self.won_at else self.stays[-1][0] if self.stays else ""
        reason = self.lost_reason if outcome == "lost" else ""
        name = f"Deal {self.external_id}"
        return [
            self.external_id,
            name,
            self.owner,
            stage,
            self.created_at,
            outcome,
            self.won_at or self.lost_at,
            reason,
        ]

    def history_rows(self) -> Iterator[list[str]]:
        """Its stays, up to the win, as rows of stage-history.csv."""
        for stage, at in self.stays:
            yield [self.external_id, stage, at]
            if stage == WON:
                return


def read_rows(path: Path) -> list[dict[str, str]]:
    """Every row of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def read_lives(folder: Path) -> list[Life]:
    """Every deal of the log; a deal number that is used again, after the first deal ended, is a second deal."""
    owners = {row["id"]: row["email"] for row in read_rows(folder / "users.csv")}
    options = next(
        row["FIELD_VALUE_OPTIONS"] for row in read_rows(folder / "fields.csv") if row["FIELD_KEY"] == "lost_reason"
    )
    reasons = {str(option["id"]): option["label"] for option in json.loads(options)}
    lives: dict[str, list[Life]] = {}
    for row in read_rows(folder / "deal_changes.csv"):
        key, at, value = row["deal_id"], row["change_time"], row["new_value"]
        match row["changed_field_key"]:
            case "add_time":
                number = len(lives.setdefault(key, [])) + 1
                lives[key].append(Life(key if number == 1 else f"{key}-{number}", at))
            case "user_id":
                lives[key][-1].owner = owners.get(value, f"user {value}")
            case "stage_id":
                lives[key][-1].stays.append((STAGES[value], at))
            case "lost_reason":
                lives[key][-1].lost_at, lives[key][-1].lost_reason = at, reasons.get(value, value)
    return [life for number in lives.values() for life in number]


def main(folder: Path, out: Path) -> None:
    """Write deals.csv and stage-history.csv into `out`."""
    lives = read_lives(folder)
    out.mkdir(parents=True, exist_ok=True)
    with (out / "deals.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([DEAL_COLUMNS, *(life.deal_row() for life in lives)])
    with (out / "stage-history.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = (row for life in lives for row in life.history_rows())
        csv.writer(stream).writerows([["deal", "stage", "entered_at"], *rows])
    after_win = sum(bool(life.won_at and life.lost_at) for life in lives)
    sys.stdout.write(f"{len(lives)} deals; {after_win} of them won first and marked lost later, brought in as won.\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
