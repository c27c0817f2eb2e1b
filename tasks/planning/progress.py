"""How far a run has come, read from its workspace: for a panel, a page or another process."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tasks.planning.costs import Cost, read_cost
from tasks.planning.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of one moment.

    Args:
        requested: Accepted rows wanted.
        round: Number of the round at work, from 0.
        generated: Candidates whose generation is finished.
        accepted: Rows accepted so far; known at the end of each round.
        rejected: Candidates dropped so far, by reason.
        tokens: Tokens generated so far.
        generating_seconds: Seconds spent generating them.
    """

    requested: int
    round: int = 0
    generated: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    generating_seconds: float = 0.0

    @property
    def tokens_per_second(self) -> float:
        """Generated tokens for each second of generation; 0 before the first."""
        return self.tokens / self.generating_seconds if self.generating_seconds > 0 else 0.0

    @property
    def remaining_seconds(self) -> float | None:
        """Seconds of generation still ahead at the pace and acceptance so far; None before any."""
        if not self.generated or not self.generating_seconds:
            return None
        judged = self.accepted + self.rejected.total()
        acceptance = max(self.accepted / judged, 0.05) if judged else 1.0
        ahead = max(self.requested - self.accepted - (self.generated - judged) * acceptance, 0.0)
        return ahead / acceptance * self.generating_seconds / self.generated


class ProgressReader:
    """Reads progress again and again; files whose work is done are read once.

    When a finished run has deleted its workspace, what was read last stands.
    """

    def __init__(self, workspace: Workspace, requested: int) -> None:
        self._workspace = workspace
        self._requested = requested
        self._done: dict[Path, Cost] = {}
        self._last = Progress(requested)

    def read(self) -> Progress:
        """Return the counts of this moment."""
        try:
            rounds = self._workspace.rounds()
            begun = [costs for folder in rounds if (costs := self._costs(folder))]
            costs = [cost for folder in begun for cost in folder]
        except FileNotFoundError:
            return self._last
        if not self._workspace.folder.exists():
            return self._last
        made = [cost for cost in costs if cost.stage == "candidates"]
        judged = [cost for cost in costs if cost.stage == "selected"]
        rejected: Counter[str] = Counter()
        for cost in judged:
            rejected.update(cost.rejected)
        self._last = Progress(
            requested=self._requested,
            round=max(len(begun) - 1, 0),
            generated=sum(cost.rows for cost in made),
            accepted=sum(cost.rows for cost in judged) - rejected.total(),
            rejected=rejected,
            tokens=sum(cost.tokens for cost in made),
            generating_seconds=sum(cost.seconds for cost in made),
        )
        return self._last

    def _costs(self, folder: Path) -> list[Cost]:
        costs = []
        for path in folder.glob("*.json"):
            cost = self._done.get(path) or read_cost(path)
            if cost is None:
                continue
            if cost.done:
                self._done[path] = cost
            costs.append(cost)
        return costs
