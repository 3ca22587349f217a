"""Jobs in this process, one after the other."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from avelzoo.jobs import Job, Launcher, Outcome, perform


class Inline(Launcher):
    """Makes the calls itself."""

    def launch(self, jobs: Sequence[Job]) -> Generator[Outcome, None, None]:
        """One job after the other, in order."""
        for job in jobs:
            yield perform(job)
