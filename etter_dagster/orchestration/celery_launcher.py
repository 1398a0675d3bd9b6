"""Dagster's run launcher over Celery, configured by the settings; sees workers that died."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._serdes import ConfigurableClassData
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from etter_dagster.orchestration.celery_app import QUEUE, celery_arguments
from etter_dagster.settings import get_settings

_ASK_SECONDS = 3.0
_SILENT_SECONDS = 60.0  # a worker that answered nobody for so long is gone


class EtterCeleryRunLauncher(CeleryRunLauncher):
    """Hands runs to `etter worker`s.

    The stock one believes for ever that a run whose worker was killed is running; Dagster's UI
    would show it for hours, and it would keep its place among the concurrent runs.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._silent: dict[str, float] = {}
        super().__init__(
            default_queue=QUEUE, inst_data=inst_data, **celery_arguments(get_settings())
        )

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """It takes no config: the settings say where the broker is."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> EtterCeleryRunLauncher:
        """As Dagster constructs it."""
        return cls(inst_data)

    def terminate(self, run_id: str) -> bool:
        """Asks the run's process to end; False if it was never handed to a worker."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished or DAGSTER_CELERY_TASK_ID_TAG not in run.tags:
            return False
        self._instance.report_run_canceling(run)
        return super().terminate(run_id)

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the worker that took the run is there.

        Args:
            run: One that Dagster believes to be in work.
        """
        task = self.celery.AsyncResult(run.tags[DAGSTER_CELERY_TASK_ID_TAG])
        if task.state != "STARTED":
            return super().check_run_worker_health(run)
        worker = (task.info or {}).get("hostname")
        asked = self.celery.control.inspect(destination=[worker], timeout=_ASK_SECONDS, limit=1)
        if worker is None or asked.ping():
            self._silent.pop(run.run_id, None)
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        since = self._silent.setdefault(run.run_id, time.monotonic())
        if time.monotonic() - since < _SILENT_SECONDS:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, f"The worker {worker} is gone.")
