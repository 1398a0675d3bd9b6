"""`etter doctor`: what is configured, what answers, and what to do about what does not.

The checks themselves are in `doctor_settings` and `doctor_services`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etter_dagster.cli.failures import DONE, FAILED, UNREACHABLE, WRONG, end
from etter_dagster.cli.service import Json, KeyFile, Url

if TYPE_CHECKING:
    from etter_dagster.cli.doctor_checks import Check


def doctor(url: Url = None, key_file: KeyFile = None, json: Json = False) -> None:
    """Says what is configured, what answers, and what to do about what does not."""
    from etter_dagster.cli.doctor_services import check_services
    from etter_dagster.cli.doctor_settings import check_settings
    from etter_dagster.cli.output import print_json

    settings, checks = check_settings()
    if settings is not None:
        checks += check_services(settings, url, key_file)
    if json:
        print_json({"checks": [check.as_json() for check in checks]})
    else:
        _print(checks)
    states = {check.state for check in checks}
    if settings is None:
        end(WRONG)
    # A problem here comes first: it may well be why something does not answer.
    end(FAILED if "problem" in states else UNREACHABLE if "unreachable" in states else DONE)


def _print(checks: list[Check]) -> None:
    from etter_dagster.cli.output import print_table, say

    print_table(
        ["check", "state", "found", "what to do"],
        [[check.name, check.state, check.found, check.remedy] for check in checks],
    )
    bad = sum(check.state not in ("ok", "off") for check in checks)
    say(f"{bad} of {len(checks)} need a look" if bad else "all is well")
