"""Jobs in this process, one after another."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from avelzoo.jobs import Job, Launcher, Outcome, perform


class Inline(Launcher):
    """Launcher that runs jobs in this process."""

    def launch(self, jobs: Sequence[Job]) -> Generator[Outcome, None, None]:
        """Run the jobs one after another, in order."""
        for job in jobs:
            yield perform(job)
