"""Which known name was probably meant by one that is not known. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# A longer name is not compared: the work grows with its square, and names come from strangers.
_LONGEST = 80
_LIKENESS = 0.8  # of difflib: a letter or two in a word


class KnownNames:
    """Names to compare with; case and white space, which count in a name, do not count here.

    Args:
        names: All that are known.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._of: dict[str, str] = {}
        for name in sorted(self._names):
            self._of.setdefault(folded(name), name)

    def same(self, name: str) -> str | None:
        """The known name that differs from an unknown one by case or white space only."""
        return None if name in self._names else self._of.get(folded(name))

    def near(self, name: str) -> str | None:
        """The known name that is most like an unknown one, if any is."""
        if name in self._names:
            return None
        if found := self.same(name):
            return found
        wanted = folded(name)
        if len(wanted) > _LONGEST:
            return None
        short = [known for known in self._of if len(known) <= _LONGEST]
        like = difflib.get_close_matches(wanted, short, n=1, cutoff=_LIKENESS)
        return self._of[like[0]] if like else None


def folded(name: str) -> str:
    """What two names have in common that differ by case or white space only.

    Args:
        name: Of a role, a company or a Draup role.
    """
    return " ".join(name.casefold().split())
