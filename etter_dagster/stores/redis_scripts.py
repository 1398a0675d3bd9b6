"""The Lua scripts of the Redis stores, each one atomic step, with the model's rules before them.

What changes the queue stands in `lua/`; the constants come from the model, so that no rule is
written down twice. The arithmetic of `claim_order` is repeated there and tested against it.
"""

from __future__ import annotations

import functools
import json
from importlib import resources

from etter_dagster.model.claim_order import COST, LANES
from etter_dagster.model.errors import ErrorCode
from etter_dagster.model.lifecycle import PUSH_MOVES
from etter_dagster.model.push import MAX_LEASES
from etter_dagster.model.rate import WINDOW_SECONDS

ROOT = "{etter}"  # in braces: a Redis cluster keeps all keys in one slot
CHANGED = f"{ROOT}:changed"  # the channel that is told of each change
AT_ONCE = 500  # pushes that one script handles; others wait no longer than that takes
MEASURED = 200  # newest pushes that a duration is the mean of
WORKER_SEEN_SECONDS = 120


@functools.cache
def script(name: str) -> str:
    """The text of a script.

    Args:
        name: Its file in `lua/`, without the ending.
    """
    if name.startswith("ledger_"):
        parts = ["local PART = ':ledger'", _file("base"), _file("ledger_common")]
    else:
        parts = ["local PART = ''", _constants(), _file("base"), _file("common")]
    return "\n".join([*parts, _file(name)])


def _file(name: str) -> str:
    return (resources.files(__package__) / "lua" / f"{name}.lua").read_text("utf-8")


@functools.cache
def _constants() -> str:
    moves = {
        state.value: dict.fromkeys((target.value for target in targets), 1)
        for state, targets in PUSH_MOVES.items()
    }
    values = {
        "LANES": [lane.value for lane in LANES],
        "COST": {lane.value: cost for lane, cost in COST.items()},
        "MOVES": moves,
        "MAX_LEASES": MAX_LEASES,
        "GIVEN_UP": ErrorCode.ATTEMPTS_EXHAUSTED.value,
        "AT_ONCE": AT_ONCE,
        "MEASURED": MEASURED,
        "WINDOW_SECONDS": WINDOW_SECONDS,
        "WORKER_SEEN_US": WORKER_SEEN_SECONDS * 1_000_000,
    }
    return "\n".join(f"local {name} = {_lua(value)}" for name, value in values.items())


def _lua(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_lua(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(map(_lua, value)) + "}"
    return json.dumps(value)
