"""Whether Dagster works on pushes: the question to its webserver, and how the answer is read."""

from __future__ import annotations

from typing import Any

from etter_dagster.api.dagster_upstream import LOCATION, REPOSITORY

SENSOR = "push_queue_sensor"
QUESTION = f"""{{
  instance {{ daemonHealth {{ allDaemonStatuses {{ required healthy }} }} }}
  workspaceLocationEntryOrError(name: "{LOCATION}") {{
    ... on WorkspaceLocationEntry {{ locationOrLoadError {{ __typename }} }}
  }}
  sensorOrError(sensorSelector: {{
    repositoryLocationName: "{LOCATION}", repositoryName: "{REPOSITORY}", sensorName: "{SENSOR}"
  }}) {{ ... on Sensor {{ sensorState {{ status }} }} }}
}}"""


def lacking(data: Any) -> str | None:
    """What is missing till pushes are worked on; None where nothing is.

    Of a location with another name nothing is known: Etter's may have one.

    Args:
        data: The answer's.

    Raises:
        KeyError, TypeError: It is no answer to the question.
    """
    daemons = data["instance"]["daemonHealth"]["allDaemonStatuses"]
    if not all(daemon["healthy"] for daemon in daemons if daemon["required"]):
        return "no heartbeat"
    location = data.get("workspaceLocationEntryOrError") or {}
    if (location.get("locationOrLoadError") or {}).get("__typename") == "PythonError":
        return "Etter's definitions cannot be loaded: Dagster's log says why"
    sensor = data.get("sensorOrError") or {}
    if (sensor.get("sensorState") or {}).get("status") == "STOPPED":
        return f"{SENSOR} is switched off, so pushes wait: switch it on in Dagster"
    return None
