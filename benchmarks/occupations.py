"""The 727 occupations of `examples/`, pushed at once: seconds until all are ready, memory of a run.

Run: `python -m benchmarks.occupations`. Prints a table for `docs/performance.md`.
"""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from benchmarks.service import PREFIX, Service, running

CSV = Path(__file__).parents[1] / "examples" / "occupations.csv"


def main() -> None:
    """Measures once with an empty store and prints the table."""
    with running() as service:
        before = service.processor_seconds()
        started = time.monotonic()
        answer = service.http.post(
            f"{PREFIX}/push-batch",
            content=CSV.read_bytes(),
            headers={"Content-Type": "text/csv"},
        )
        answer.raise_for_status()
        batch = answer.json()
        accepted = time.monotonic() - started
        half, done, largest, runs = _watch(service, batch["batch_id"], started)
        processor = service.processor_seconds() - before
        print("| what | measured |\n| --- | --- |")
        print(f"| roles pushed in one request | {batch['total_roles']} |")
        print(f"| answered after | {accepted:.1f} s |")
        print(f"| half ready after | {half:.1f} s |")
        print(f"| all ready after | {done:.1f} s |")
        print(f"| roles a second | {batch['total_roles'] / done:.0f} |")
        print(f"| processor time, all processes | {processor:.1f} s |")
        print(f"| serving runs at once | {runs} |")
        print(f"| memory of the largest serving run | {largest / 2**20:.0f} MiB |")


def _watch(service: Service, batch_id: str, started: float) -> tuple[float, float, int, int]:
    half, largest, runs = 0.0, 0, 0
    while True:
        status = service.get(f"/batch-status/{batch_id}")
        processes = service.runs()
        runs = max(runs, len(processes))
        for process in processes[:1]:
            try:
                largest = max(largest, process.memory_info().rss)
            except psutil.Error:
                continue
        now = time.monotonic() - started
        if not half and status["completed"] >= status["total"] / 2:
            half = now
        if status["completed"] + status["failed"] + status["cancelled"] == status["total"]:
            if status["completed"] != status["total"]:
                raise SystemExit(f"only {status['completed']} of {status['total']} got ready")
            return half, now, largest, runs
        time.sleep(0.5)


if __name__ == "__main__":
    main()
