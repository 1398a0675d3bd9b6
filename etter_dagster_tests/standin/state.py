"""What the stand-in knows, what it was asked, and how it is told to fail.

No HTTP here. One event loop serves it; a test's thread may read and script it at any time.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ASSESS = "run-ai-assessment"
CREATE = "create-company-role"
LINK = "link-job-description"
HEALTH = "health"


@dataclass(frozen=True)
class Fault:
    """One way to go wrong. What is not set stays as it would be.

    Args:
        delay: Seconds before anything happens.
        hold: Waits until this is set; for tests that must not depend on time.
        status: Answers with this HTTP status instead of working.
        headers: Headers of that answer, e.g. `Retry-After`.
        error: Answers 200 with `status: "error"` and this message.
        garbage: Answers 200 with this body, whatever it is.
        reset: Cuts the connection before doing anything.
        lose_answer: Does the work, then cuts the connection: the answer may be in the cache.
        override: Keys replaced at the top of the good answer; None takes a key out.
        change: Makes another answer of the good one (the platform's APIs only).
        half: Sends half of the good answer, then cuts the connection (the platform's APIs only).
    """

    delay: float = 0.0
    hold: threading.Event | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    garbage: bytes | None = None
    reset: bool = False
    lose_answer: bool = False
    override: Mapping[str, Any] = field(default_factory=dict)
    change: Callable[[dict[str, Any]], Any] | None = None
    half: bool = False


@dataclass(frozen=True)
class Call:
    """One request, as it came."""

    endpoint: str
    company: str | None
    role: str | None
    body: Mapping[str, Any]
    idempotency_key: str | None
    authorization: str | None


@dataclass
class HeldRole:
    """A role as the service holds it; its ids are its own, not Etter's."""

    role_id: str
    company: str
    role: str
    draup_role: str | None = None
    jd: str | None = None


@dataclass
class _Rule:
    fault: Fault
    left: int | None
    company: str | None
    role: str | None


class StandinState:
    """Memory and script of the stand-in.

    Args:
        token: If set, every call but health must bring it as bearer.
        delay: Seconds that each assessment takes.
    """

    def __init__(self, *, token: str | None = None, delay: float = 0.0) -> None:
        self.token = token
        self.delay = delay
        self.roles: dict[str, HeldRole] = {}
        self.cache: dict[tuple[str, str], dict[str, Any]] = {}
        self.calls: list[Call] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._made = 0
        self._rules: dict[str, list[_Rule]] = {}
        self._lock = threading.Lock()

    def fail(
        self,
        endpoint: str,
        fault: Fault,
        *,
        times: int | None = 1,
        company: str | None = None,
        role: str | None = None,
    ) -> None:
        """Scripts a fault for the next calls that fit; scripts are used in their order.

        Args:
            endpoint: `ASSESS`, `CREATE`, `LINK` or `HEALTH`.
            fault: What happens.
            times: For how many calls; None: until `heal`.
            company: Only for calls of this company.
            role: Only for calls of this role.
        """
        with self._lock:
            self._rules.setdefault(endpoint, []).append(_Rule(fault, times, company, role))

    def heal(self, endpoint: str | None = None) -> None:
        """Takes the scripted faults back, of one endpoint or of all."""
        with self._lock:
            if endpoint is None:
                self._rules.clear()
            else:
                self._rules.pop(endpoint, None)

    def record(self, call: Call) -> Fault:
        """Notes a call and says what is to happen to it."""
        with self._lock:
            self.calls.append(call)
            for rule in self._rules.get(call.endpoint, []):
                fits = rule.company in (None, call.company) and rule.role in (None, call.role)
                if fits and rule.left != 0:
                    if rule.left is not None:
                        rule.left -= 1
                    return rule.fault
        return Fault()

    def count(self, endpoint: str, company: str | None = None, role: str | None = None) -> int:
        """How many calls came, of all or of one company or role; failed ones included."""
        with self._lock:
            return sum(
                call.endpoint == endpoint
                and company in (None, call.company)
                and role in (None, call.role)
                for call in self.calls
            )

    def counts(self, endpoint: str) -> Counter[tuple[str | None, str | None]]:
        """Calls per (company, role)."""
        with self._lock:
            return Counter((c.company, c.role) for c in self.calls if c.endpoint == endpoint)

    def entered(self) -> None:
        """An assessment begins."""
        with self._lock:
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def left(self) -> None:
        """An assessment ends, in whatever way."""
        with self._lock:
            self.in_flight -= 1

    def next_id(self, prefix: str) -> str:
        """A fresh id."""
        with self._lock:
            self._made += 1
            return f"{prefix}-{self._made:06d}"

    def role_of(self, company: str, role: str) -> HeldRole | None:
        """The role of these names, if it was created."""
        held = list(self.roles.values())
        return next((r for r in held if (r.company, r.role) == (company, role)), None)
