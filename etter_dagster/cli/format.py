"""`etter format`: a document under the headings of a job description, no sentence lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from etter_dagster.model.errors import (
    ErrorCode,
    EtterError,
    FieldProblem,
    Postponed,
    SourceUnavailable,
    TransientError,
    ValidationFailed,
)


def format_file(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A job description: PDF, DOCX, HTML, Markdown, text.",
            show_default=False,
        ),
    ],
    title: Annotated[
        str | None,
        typer.Option(
            "--title",
            metavar="TEXT",
            help="The title, where the document has none of its own.",
            show_default=False,
        ),
    ] = None,
    llm: Annotated[
        bool,
        typer.Option(
            "--llm",
            help="Let the model of ETTER_LLM_BASE_URL say what belongs under which heading; it "
            "writes no text. Paid, within the budget; the same text only once.",
        ),
    ] = False,
    json: Annotated[
        bool,
        typer.Option("--json", help="A JSON object on standard output."),
    ] = False,
) -> None:
    """Writes a document under the headings of a job description: by rules, no sentence lost."""
    from etter_dagster.cli.files import read_text
    from etter_dagster.cli.output import print_json, tell_text

    text = read_text(file, field="FILE")
    text = asyncio.run(_by_llm(text, title)) if llm else _by_rules(text, title)
    if json:
        print_json({"id": str(file), "formatted": text})
    else:
        tell_text(text.removesuffix("\n"))


def _by_rules(text: str, title: str | None) -> str:
    from etter_dagster.assessors.formatting.jd import format_jd

    return format_jd(text, title=title)


async def _by_llm(text: str, title: str | None) -> str:
    from etter_dagster.assessors.llm.single import format_one
    from etter_dagster.assessors.protocol import AssessmentFailed
    from etter_dagster.cli.output import say
    from etter_dagster.onboarding.services import utc_now
    from etter_dagster.settings import get_settings
    from etter_dagster.stores import open_ledger

    settings = get_settings()
    if settings.llm_base_url is None or settings.llm_model is None:
        raise ValidationFailed(
            FieldProblem("--llm", "no model is configured: set ETTER_LLM_BASE_URL, ETTER_LLM_MODEL")
        )
    ledger = open_ledger(settings)
    try:
        made, cost = await format_one(text, settings, ledger, utc_now, title=title)
    except TransientError as error:
        raise SourceUnavailable(str(error)) from error
    except Postponed as error:
        raise EtterError(error.code, str(error)) from error
    except AssessmentFailed as error:
        raise EtterError(ErrorCode.ASSESSMENT_FAILED, str(error)) from error
    finally:
        await ledger.close()
    if cost is not None:
        say(f"cost: {cost:g}")
    return made
