"""The sensors that keep roles true to their sources: taxonomy and documents.

A tick is bounded in time; where it ends, the next goes on. A read that fails changes nothing, and
the tick says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import dagster as dg

from etter_dagster.model.errors import EtterError, SourceUnavailable
from etter_dagster.model.identity import normalize_name
from etter_dagster.onboarding.asking import ask
from etter_dagster.onboarding.collecting import rare_collections
from etter_dagster.onboarding.document_sync import DocumentsSynced, sync_documents
from etter_dagster.onboarding.new_roles import NewRolesPushed, push_new_roles
from etter_dagster.onboarding.rounds import ALL, Round, go_round
from etter_dagster.onboarding.services import Services, open_services
from etter_dagster.onboarding.taxonomy_sync import TaxonomySynced, sync_taxonomy
from etter_dagster.onboarding.tick_time import TickTime
from etter_dagster.orchestration.input_events import report_inputs
from etter_dagster.orchestration.partitions import add_partitions
from etter_dagster.orchestration.run_tags import KIND_TAG
from etter_dagster.orchestration.source_reports import (
    said_of_documents,
    said_of_taxonomy,
    said_of_told,
)
from etter_dagster.settings import Settings
from etter_dagster.sources.registry import document_sources, taxonomy_sources

TICK_SECONDS = 40.0  # with what the sources take; an evaluation may take 60 s
LOOK_SECONDS = 2.5  # of its own work; the company looked at then is finished
TELL_SECONDS = 1.5  # more for telling Dagster, where a role takes some 10 ms
ASK_SECONDS = 10.0  # for the list of companies
Tick = Callable[[Services, dg.DagsterInstance, Round, TickTime], Awaitable[str]]


def build_source_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """Both.

    Args:
        settings: Sources, stores, interval.
    """
    return [build_taxonomy_sensor(settings), build_document_sensor(settings)]


def build_taxonomy_sensor(settings: Settings) -> dg.SensorDefinition:
    """`taxonomy_sensor`: what the taxonomy lists becomes roles.

    Args:
        settings: Source, stores, interval.
    """
    return _sensor(
        settings,
        "taxonomy_sensor",
        "Looks at the taxonomy: new entries become roles with their partition, and are pushed once "
        "they can be assessed (ETTER_PUSH_NEW_TAXONOMY_ROLES); a changed Draup mapping makes the "
        "assessment stale; an entry that is gone is marked removed, and its role stays. Leave it "
        "running; each tick says what it found. Reset its cursor to look at everything anew.",
        taxonomy_sources,
        "no taxonomy is configured: set ETTER_TAXONOMY_API_BASE_URL and ETTER_COMPANIES_FILE",
        taxonomy_tick,
    )


def build_document_sensor(settings: Settings) -> dg.SensorDefinition:
    """`document_sensor`: roles hear of changed documents.

    Args:
        settings: Sources, stores, interval.
    """
    return _sensor(
        settings,
        "document_sensor",
        "Looks at the documents of the configured sources: lists them, fetches only those that "
        "changed, links them, and marks the assessment of a role stale whose text is another. "
        "What people change by REST shows as out of sync at its next tick too. "
        "Leave it running; each tick says what it found. Reset its cursor to begin a round anew.",
        document_sources,
        "no source of documents is configured: set ETTER_DOCUMENTS_API_BASE_URL, ETTER_S3_BUCKET "
        "or ETTER_DOCUMENTS_DIR",
        document_tick,
        without=told_tick,
    )


def _sensor(
    settings: Settings,
    name: str,
    description: str,
    sources: Callable[[Settings], list[str]],
    remedy: str,
    tick: Tick,
    without: Tick | None = None,
) -> dg.SensorDefinition:
    def evaluate(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        configured = bool(sources(settings))
        act = tick if configured else without
        if act is None:
            return dg.SkipReason(remedy)
        round_ = Round.read(context.cursor)
        try:
            said = asyncio.run(_tick(settings, context.instance, round_, act))
        except EtterError as error:
            said = f"{error.message}; nothing was changed, a later tick tries again"
        context.update_cursor(round_.write())
        return dg.SkipReason(said if configured else "; ".join(filter(None, [remedy, said])))

    return dg.SensorDefinition(
        name=name,
        evaluation_fn=evaluate,
        minimum_interval_seconds=max(1, round(settings.source_interval_seconds)),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=description,
        tags={KIND_TAG: "sources"},
    )


async def _tick(settings: Settings, instance: dg.DagsterInstance, round_: Round, tick: Tick) -> str:
    services = open_services(settings)
    try:
        with rare_collections():
            return await tick(services, instance, round_, TickTime(LOOK_SECONDS, TICK_SECONDS))
    finally:
        await services.close()


async def taxonomy_tick(
    services: Services, instance: dg.DagsterInstance, round_: Round, limit: TickTime
) -> str:
    """One look at the taxonomy; gives what to say of it.

    Args:
        services: Source and stores.
        instance: Gets the partitions of new roles, and hears of changed mappings.
        round_: From the last tick; changed.
        limit: Once it is over, no other company is begun.

    Raises:
        EtterError: The list of companies cannot be read, or a store cannot be reached.
    """
    listed = await _companies(services, round_, services.taxonomy.get_companies, "the taxonomy")
    if not listed:
        return "the taxonomy lists no company; nothing was changed"
    # A company that it lists no longer has no entries any more, which it says itself.
    companies = {*map(normalize_name, listed), *await services.graph.companies()}

    async def look(company: str) -> TaxonomySynced:
        found = await sync_taxonomy(services, company, limit)
        await asyncio.to_thread(add_partitions, instance, found.new)
        return found

    looked = await go_round(round_, companies, look, now=_now(services), limit=limit)
    stale = [rid for found in looked.results.values() for rid in found.stale]
    told = await _tell(services, instance, round_, stale, limit)
    return said_of_taxonomy(looked, await _push(services, round_, limit), told)


async def document_tick(
    services: Services, instance: dg.DagsterInstance, round_: Round, limit: TickTime
) -> str:
    """One look at the documents; gives what to say of it.

    Args:
        services: Sources and stores.
        instance: Hears of changed documents.
        round_: From the last tick; changed.
        limit: Once it is over, no other company is begun.

    Raises:
        EtterError: The list of companies cannot be read, or a store cannot be reached.
    """
    having = await _companies(
        services,
        round_,
        services.document_source.companies_with_documents,
        "the source of documents",
    )
    names = {normalize_name(company) for company in having}

    async def look(company: str) -> DocumentsSynced:
        found = await sync_documents(services, company, limit, has_documents=company in names)
        if found.failure is not None:
            round_.failed(company, found.failure, _now(services))
        return found

    companies = await services.graph.companies()
    looked = await go_round(round_, companies, look, now=_now(services), limit=limit)
    changed = [rid for found in looked.results.values() for rid in found.changed]
    return said_of_documents(looked, await _tell(services, instance, round_, changed, limit))


async def told_tick(
    services: Services, instance: dg.DagsterInstance, round_: Round, limit: TickTime
) -> str:
    """Where no source is watched: Dagster hears of what people changed by REST.

    Args:
        services: Graph, queue.
        instance: Hears of changed inputs.
        round_: From the last tick; changed.
        limit: Once it is over, the next tick goes on.

    Raises:
        EtterError: A store cannot be reached.
    """
    return said_of_told(await _tell(services, instance, round_, (), limit))


async def _companies(
    services: Services, round_: Round, read: Callable[[], Sequence[str]], what: str
) -> list[str]:
    now = _now(services)
    if said := round_.waits(ALL, now):
        raise SourceUnavailable(f"{what}: {said}")
    try:
        return list(await ask(read, within=ASK_SECONDS, what=what))
    except Exception as error:
        raise SourceUnavailable(f"{what}: {round_.failed(ALL, error, now)}") from error


async def _tell(
    services: Services,
    instance: dg.DagsterInstance,
    round_: Round,
    changed: Sequence[str],
    limit: TickTime,
) -> int:
    return await report_inputs(services, instance, round_, changed, limit.with_more(TELL_SECONDS))


async def _push(services: Services, round_: Round, limit: TickTime) -> list[NewRolesPushed] | None:
    """Pushes what is new and can be assessed; None where that is switched off."""
    if not services.settings.push_new_taxonomy_roles:
        return None
    done: list[NewRolesPushed] = []
    while not done or (round_.drafts and not limit.over):
        done.append(await push_new_roles(services, round_.drafts))
        round_.drafts = done[-1].last
    return done


def _now(services: Services) -> float:
    return services.clock().timestamp()
