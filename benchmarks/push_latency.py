"""One push over REST until it is ready: on an idle system, and while a serving run is up.

Run: `python -m benchmarks.push_latency`. Prints medians of ten for `docs/performance.md`.
"""

from __future__ import annotations

import statistics
import time

from benchmarks.service import Service, running

TIMES = 10
JD = "# Clerk {n}\n\n## Key Responsibilities\n- Prepare weekly report number {n}\n- File invoices\n"


def main() -> None:
    """Measures both and prints the table."""
    with running(ETTER_LINGER_SECONDS="1") as service:
        idle = [_push(service, f"Idle {n}", settle=True) for n in range(TIMES)]
    with running(ETTER_LINGER_SECONDS="60") as service:
        _push(service, "First", settle=False)
        warm = [_push(service, f"Warm {n}", settle=False) for n in range(TIMES)]
    print("| push to ready | median | fastest | slowest |\n| --- | --- | --- | --- |")
    for name, times in (("idle system", idle), ("serving run is up", warm)):
        middle = statistics.median(times)
        print(f"| {name} | {middle:.2f} s | {min(times):.2f} s | {max(times):.2f} s |")


def _push(service: Service, role: str, *, settle: bool) -> float:
    """Seconds from sending the push until its status is ready."""
    body = {
        "company_id": "Benchmark",
        "role_name": role,
        "draup_role_name": "Clerk",
        "documents": [{"type": "job_description", "content": JD.format(n=role)}],
    }
    started = time.monotonic()
    status = service.wait(service.post("/push", body)["workflow_id"])
    took = time.monotonic() - started
    if status != "ready":
        raise SystemExit(f"{role} ended {status}")
    while settle and service.runs():
        time.sleep(0.2)
    time.sleep(1.5 if settle else 0.2)
    return took


if __name__ == "__main__":
    main()
