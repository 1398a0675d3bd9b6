"""What the demonstration shows: the roles getting ready, and the table of their scores.

Only drawing belongs here; nothing is asked of anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.style import Style
from rich.table import Table
from rich.text import Text

from etter_dagster.cli.demo_roles import DemoRole

_STATES = {"ready": "green", "degraded": "yellow", "failed": "red", "processing": "cyan"}
_BAR_WIDTH = 12


def progress_table(roles: Sequence[DemoRole]) -> Table:
    """How far each role is, for a live display.

    Args:
        roles: The roles as they are now.
    """
    table = _table("role", "state", "steps", "now")
    for role in _by_company(table, roles):
        bar = ProgressBar(total=max(1, role.steps), completed=role.done, width=_BAR_WIDTH)
        table.add_row(f"  {role.role}", _state(role), bar, Text(remark(role)))
    return table


def remark(role: DemoRole) -> str:
    """What a person wants to know of a role beside its state.

    Args:
        role: The role.
    """
    if role.error:
        return role.error
    if role.from_before:
        return "from before"
    return role.step.replace("_", " ")


def line(role: DemoRole) -> str:
    """A role in one line, where there is no terminal to draw on.

    Args:
        role: The role.
    """
    said = f"{role.company} / {role.role}: {role.state.value if role.state else 'not pushed'}"
    return f"{said} ({remark(role)})" if remark(role) else said


def score_table(roles: Sequence[DemoRole], dagster_url: str) -> Table:
    """The scores of the roles by company.

    Where the terminal knows links, a role's name leads to its page, its state to Dagster.

    Args:
        roles: The roles.
        dagster_url: Where Dagster's UI is.
    """
    table = _table("role", "state")
    for heading in ("score", "auto-\nmation", "augmen-\ntation", "tasks"):
        table.add_column(heading, justify="right", no_wrap=True)
    for role in _by_company(table, roles):
        table.add_row(
            _linked(f"  {role.role}", role.page),
            _linked_state(role, dagster_url),
            *_scores(role),
        )
    return table


def print_pages(console: Console, roles: Sequence[DemoRole]) -> None:
    """The roles' pages, for terminals and logs that show no links.

    Args:
        console: Where to print.
        roles: The roles.
    """
    width = max(len(role.role) for role in roles)
    for role in roles:
        console.print(f"  {role.role:<{width}}  {role.page or '-'}", soft_wrap=True)


def partition_url(dagster_url: str, role: DemoRole) -> str:
    """A role's assessment in Dagster's UI.

    Args:
        dagster_url: Where Dagster's UI is.
        role: The role, pushed.
    """
    return f"{dagster_url}/assets/ai_assessment?partition={quote(role.role_id, safe='')}"


def _table(*headings: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)  # fits 80 columns
    for heading in headings:
        table.add_column(heading)
    return table


def _by_company(table: Table, roles: Sequence[DemoRole]) -> Iterator[DemoRole]:
    """The roles, each company's under a row with its name."""
    company = ""
    for role in roles:
        if role.company != company:
            company = role.company
            table.add_row(Text(company, style="bold"))
        yield role


def _scores(role: DemoRole) -> tuple[str, str, str, str]:
    if role.assessment is None:
        return "-", "-", "-", "-"
    scores = role.assessment.scores
    return (
        f"{scores.final_score:.1f}",
        f"{scores.ai_automation_potential_score:.1f}",
        f"{scores.ai_augmentation_potential_score:.1f}",
        str(len(role.assessment.tasks)),
    )


def _state(role: DemoRole) -> Text:
    name = role.state.value if role.state else "not pushed"
    return Text(name, style=_STATES.get(name, ""))


def _linked_state(role: DemoRole, dagster_url: str) -> Text:
    state = _state(role)
    if role.role_id:
        state.stylize(Style(link=partition_url(dagster_url, role)))
    return state


def _linked(text: str, url: str | None) -> Text:
    return Text(text, style=Style(link=url) if url else "")
