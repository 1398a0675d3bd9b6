"""What `etter up` asks of its own Dagster webserver: whether it is ready, and to end its runs."""

from __future__ import annotations

import time
from typing import Any

import httpx

_READY = """{ workspaceOrError { ... on Workspace { locationEntries {
  loadStatus locationOrLoadError { __typename } } } }
  instance { daemonHealth { allDaemonStatuses { daemonType lastHeartbeatTime } } } }"""
_RUNS = """{ runsOrError(filter: {statuses: [STARTING, STARTED, CANCELING]}, limit: 1000) {
  ... on Runs { results { runId } } } }"""
_END = "mutation($ids: [String!]!) { terminateRuns(runIds: $ids) { __typename } }"
_ASK_SECONDS = 5.0
_END_SECONDS = 3.0
_ABSENT = (httpx.HTTPError, ValueError, KeyError, TypeError)


class DagsterWeb:
    """Dagster's webserver on this machine.

    Args:
        url: Where it is, without a path.
        transport: Instead of the network.
    """

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._url = url
        self._transport = transport

    def lacks(self, since: float) -> str | None:
        """What Dagster needs till it works on pushes, or None.

        Args:
            since: Seconds since 1970; a heartbeat from before counts for nothing.
        """
        try:
            data = self._ask(_READY)
            entries = data["workspaceOrError"]["locationEntries"]
            daemons = data["instance"]["daemonHealth"]["allDaemonStatuses"]
            loaded = [(entry["locationOrLoadError"] or {}).get("__typename") for entry in entries]
            beats = {daemon["daemonType"]: daemon["lastHeartbeatTime"] for daemon in daemons}
        except _ABSENT:
            return "Dagster's webserver does not answer"
        if "RepositoryLocation" not in loaded:
            return "Dagster has not loaded Etter's definitions"
        alive = (beats.get("SENSOR") or 0.0) >= since
        return None if alive else "the Dagster daemon has no heartbeat"

    def end_runs(self) -> None:
        """Ends the runs in work, so that Dagster shows them as cancelled, not as failed.

        Bounded in time; what is left is killed with the other processes, and nothing is lost.
        """
        try:
            ids = self._running()
            if ids:
                self._ask(_END, ids=ids)
            deadline = time.monotonic() + _END_SECONDS
            while ids and time.monotonic() < deadline:
                time.sleep(0.05)
                ids = self._running()
        except _ABSENT:
            return

    def _running(self) -> list[str]:
        return [run["runId"] for run in self._ask(_RUNS)["runsOrError"]["results"]]

    def _ask(self, query: str, **variables: Any) -> Any:
        with httpx.Client(transport=self._transport, timeout=_ASK_SECONDS) as http:
            answer = http.post(
                f"{self._url}/graphql", json={"query": query, "variables": variables}
            )
            return answer.json()["data"]
