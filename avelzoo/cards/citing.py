"""Papers of a composition as BibTeX."""

from __future__ import annotations

from collections.abc import Mapping

from avelzoo.composition.resolving import Composition
from avelzoo.plugin.papers import Paper


def papers_of(composition: Composition, known: Mapping[str, Paper]) -> list[Paper]:
    """Papers of the recipe and of its components, each once."""
    keys = [composition.recipe.paper, *(getattr(entry.target, "paper", "") for entry in composition.entries.values())]
    return [known[key] for key in dict.fromkeys(keys) if key in known]


def bibtex(paper: Paper) -> str:
    """The entry of a paper.

    >>> print(bibtex(Paper("a2020", "A. One, B. Two", "On Events", "ICASSP", 2020)))
    @inproceedings{a2020,
      author = {A. One and B. Two},
      title = {{On Events}},
      booktitle = {ICASSP},
      year = {2020},
    }
    """
    authors = paper.authors.replace(" et al.", " and others").replace(", ", " and ")
    rows = {"author": authors, "title": f"{{{paper.title}}}", "booktitle": paper.venue, "year": str(paper.year)}
    rows |= {"doi": paper.doi} if paper.doi else {}
    lines = [f"  {name} = {{{value}}}," for name, value in rows.items()]
    return "\n".join([f"@inproceedings{{{paper.key},", *lines, "}"])
