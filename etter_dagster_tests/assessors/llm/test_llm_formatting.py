"""A JD sorted by the LLM: it says where a piece belongs and can lose nothing."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from etter_dagster.assessors.formatting.form import is_formatted
from etter_dagster.assessors.formatting.jd import format_jd
from etter_dagster.assessors.formatting.losses import lost_sentences
from etter_dagster.assessors.llm.single import format_one
from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.model.errors import TransientError
from etter_dagster.settings import Settings
from etter_dagster.stores import open_ledger
from etter_dagster_tests.assessors.layouts import LAYOUTS
from etter_dagster_tests.cli.conftest import Etter, etter  # noqa: F401
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.standin.llm_api import LlmState, Reply, llm_app
from etter_dagster_tests.standin.server import serving

TEXT = "We fix bikes.\n\nYour day: mending wheels, and a chat with customers.\n\nBring a smile.\n"


def sorts(text: str) -> str:
    if "mending" in text:
        return "responsibilities"
    return "skills" if "smile" in text else "overview"


async def formatted(text: str, state: LlmState, settings: Settings, clock: Clock) -> str:
    ledger = open_ledger(settings, clock)
    transport = httpx.ASGITransport(llm_app(state))
    try:
        made, _ = await format_one(
            text, settings, ledger, clock, title="Bike mechanic", transport=transport
        )
        return made
    finally:
        await ledger.close()


async def test_the_model_says_what_belongs_where(llm_settings: Settings, clock: Clock) -> None:
    state = LlmState(key="sk-right", sorts=sorts)
    made = await formatted(TEXT, state, llm_settings, clock)
    assert made.index("## Overview") < made.index("We fix bikes.")
    assert made.index("## Key Responsibilities") < made.index("mending wheels")
    assert made.index("### Skills") < made.index("Bring a smile.")
    assert lost_sentences(TEXT, made) == []
    assert await formatted(TEXT, state, llm_settings, clock) == made
    assert len(state.calls) == 1, "the same text was paid for twice"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("part", ["overview", "responsibilities", "education", "nonsense"])
async def test_whatever_it_says_no_sentence_is_lost(
    layout: str, part: str, llm_settings: Settings, clock: Clock
) -> None:
    text = LAYOUTS[layout].text
    made = await formatted(
        text, LlmState(key="sk-right", sorts=lambda piece: part), llm_settings, clock
    )
    assert lost_sentences(text, made) == []
    assert is_formatted(made)


@pytest.mark.parametrize(
    "content",
    ["no", "", '{"parts": 7}', '{"parts": [{"n": 99, "part": "skills"}, 3, {"n": true}]}'],
)
async def test_an_answer_of_no_use_leaves_the_rules(
    content: str, llm_settings: Settings, clock: Clock
) -> None:
    state = LlmState(key="sk-right", script=[Reply(content=content)])
    made = await formatted(TEXT, state, llm_settings, clock)
    assert made == format_jd(TEXT, title="Bike mechanic")


async def test_failures_are_told(llm_settings: Settings, clock: Clock) -> None:
    with pytest.raises(TransientError):
        await formatted(TEXT, LlmState(script=[Reply(status=503)]), llm_settings, clock)
    with pytest.raises(AssessmentFailed):
        await formatted(TEXT, LlmState(key="another"), llm_settings, clock)


def test_at_the_terminal(
    etter: Etter,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a model configured, a message that says what to set; a dead one is not reachable."""
    path = tmp_path / "jd.txt"
    path.write_text(TEXT)
    ran = etter("format", path, "--llm")
    assert ran.code == 2
    assert "ETTER_LLM_BASE_URL" in ran.stderr
    monkeypatch.setenv("ETTER_LLM_MODEL", "tiny-1")
    monkeypatch.setenv("ETTER_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    assert etter("format", path, "--llm").code == 3
    with serving(llm_app(LlmState(sorts=sorts, cost=0.5))) as url:
        monkeypatch.setenv("ETTER_LLM_BASE_URL", f"{url}/v1")
        ran = etter("format", path, "--llm", "--json")
    made = json.loads(ran.stdout)["formatted"]
    assert made.index("### Skills") < made.index("Bring a smile.")
    assert "cost: 0.5" in ran.stderr
