"""Pushing the roles of a CSV or a folder: a verdict for each row, and a live progress bar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from etter_dagster.cli.calling import Service
from etter_dagster.cli.failures import DONE, FAILED, WRONG, end, exit_code, show_error
from etter_dagster.cli.holding import tell_if_held
from etter_dagster.cli.output import clean, counted, err, print_json, print_table, say
from etter_dagster.cli.rows import OK, REFUSED, UNSENT, Verdict, judge, portions, role_body
from etter_dagster.cli.service import connect, user
from etter_dagster.cli.waiting import bar, follow_batches
from etter_dagster.cli.wording import said_of_row
from etter_dagster.client import calls
from etter_dagster.model.errors import ErrorCode, EtterError
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import WorkflowOptions
from etter_dagster.onboarding.views import BatchView
from etter_dagster.sources.bulk_files import read_bulk
from etter_dagster.sources.bulk_folder import folders_in
from etter_dagster.sources.formats import READ


def push_file(
    file: Path,
    *,
    company: str | None,
    draup_role: str | None,
    force: bool,
    dry_run: bool,
    wait: bool,
    url: str | None,
    key_file: Path | None,
    json: bool,
) -> None:
    """Pushes all good rows of a file.

    Args:
        file: A CSV or a folder.
        company: The company of a folder's roles.
        draup_role: Instead of the rows' own.
        force: Assess again, even if nothing has changed.
        dry_run: Only read and check.
        wait: Whether to wait for the end of all.
        url: Where the service is.
        key_file: Where the key is.
        json: Whether to print JSON.

    Raises:
        EtterError: The file cannot be read, or nothing of it could be sent.
    """
    with err().status("reading"):
        rows = read_bulk(file, company=company, draup_role=draup_role)
        verdicts = judge(rows, company=company, draup_role=draup_role)
    batch_ids: list[str] = []
    failure: EtterError | None = None
    if not dry_run and any(verdict.state == OK for verdict in verdicts):
        with connect(url, key_file) as service:
            batch_ids, failure = _send(service, verdicts, force=force)
            if failure is not None and not batch_ids:
                raise failure
            _settle(verdicts, _look(service, batch_ids, wait=wait))
            if batch_ids and not wait:
                tell_if_held(service)
    if json:
        print_json({"batch_ids": batch_ids, "counts": _counts(verdicts), "rows": _rows(verdicts)})
    else:
        _print(verdicts, batch_ids, wait=wait)
        if not verdicts and file.is_dir():
            say(f"  each file in it is one role: {READ}")
        if file.is_dir() and (inner := folders_in(file)):
            say(clean(f"not read, as they are folders: {', '.join(inner)}; push each by itself"))
    if failure is not None:
        show_error(failure, as_json=json)
    end(_code(verdicts, failure, wait=wait))


def _send(
    service: Service, verdicts: Sequence[Verdict], *, force: bool
) -> tuple[list[str], EtterError | None]:
    """Sends portion by portion; stops at the first that fails as a whole."""
    batch_ids: list[str] = []
    created_by, sent = user(), 0
    left = list(portions(verdicts))
    with bar("pushing", sum(map(len, left))) as done:
        while left:
            portion = left.pop(0)
            call = calls.push_batch(
                portion[0].row.company,
                [role_body(verdict.row) for verdict in portion],
                options=WorkflowOptions(force_rerun=force),
                created_by=created_by,
                idempotency_key=uuid4().hex,
            )
            try:
                answer = service.send_patiently(call)
            except EtterError as error:
                if not _note_rejected(portion, error.detail.get("rejected")):
                    for verdict in (v for some in (portion, *left) for v in some):
                        verdict.refuse(error.code.value, error.message, state=UNSENT)
                    return batch_ids, error
            else:
                _note_rejected(portion, [item.model_dump() for item in answer.rejected])
                batch_ids.append(answer.batch_id)
                if note := answer.message.partition("; ")[2]:
                    say(clean(note))
                taken = [verdict for verdict in portion if verdict.state == OK]
                for verdict, workflow_id in zip(taken, answer.workflow_ids, strict=True):
                    verdict.workflow_id = workflow_id
            done(sent := sent + len(portion), "")
    return batch_ids, None


def _note_rejected(portion: Sequence[Verdict], rejected: object) -> bool:
    """Whether the service said of each role why it was rejected."""
    if not isinstance(rejected, list):
        return False
    for item in rejected:
        portion[item["index"]].refuse(item["error"], item["message"])
    return True


def _look(service: Service, batch_ids: Sequence[str], *, wait: bool) -> list[BatchView]:
    if wait:
        return follow_batches(service, batch_ids)
    return [service.send_patiently(calls.batch_status(bid)) for bid in batch_ids]


def _settle(verdicts: Sequence[Verdict], views: Sequence[BatchView]) -> None:
    """Each pushed row gets its push's state."""
    found = {role.role_id: role for view in views for role in view.roles}
    for verdict in verdicts:
        # By role: after a retry elsewhere, the batch counts the newer push.
        if verdict.workflow_id and (role := found.get(verdict.as_json()["role_id"])):
            verdict.workflow_id = role.workflow_id
            verdict.state = role.status.value
            verdict.dashboard_url = role.dashboard_url
            if role.error:
                verdict.error, verdict.message = role.error.code, role.error.message


def _counts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    return dict(Counter(verdict.state for verdict in verdicts))


def _rows(verdicts: Sequence[Verdict]) -> list[dict[str, object]]:
    return [verdict.as_json() for verdict in verdicts]


def _print(verdicts: Sequence[Verdict], batch_ids: Sequence[str], *, wait: bool) -> None:
    if verdicts:
        print_table(
            ["row", "company", "role", "verdict", "workflow id", "why"],
            [
                [v.row.row, v.row.company, v.row.role_name, v.state, v.workflow_id, _why(v)]
                for v in verdicts
            ],
        )
    counts = ", ".join(f"{count} {state}" for state, count in _counts(verdicts).items())
    say(f"{counted(len(verdicts), 'row')}: {counts}" if verdicts else "the file holds no role")
    if not wait:
        for batch_id in batch_ids:
            say(f"follow them with: etter status {batch_id} --watch")


def _why(verdict: Verdict) -> str | None:
    if verdict.error:
        return f"{verdict.error}: {said_of_row(verdict.message or '')}"
    if verdict.state == OK and not (
        verdict.row.content and (verdict.row.draup_role_name or verdict.row.draup_role_id)
    ):
        return "goes if the service knows its job description and Draup role"
    return None


def _code(verdicts: Sequence[Verdict], failure: EtterError | None, *, wait: bool) -> int:
    if failure is not None:
        return exit_code(failure.code)
    if all(v.error and v.state == REFUSED for v in verdicts):
        codes = {exit_code(ErrorCode(v.error)) for v in verdicts}
        return FAILED if codes - {WRONG} else WRONG
    wanted = {OK, WorkflowState.READY.value}
    if not wait:
        wanted |= {WorkflowState.QUEUED.value, WorkflowState.PROCESSING.value}
    return DONE if all(verdict.state in wanted for verdict in verdicts) else FAILED
