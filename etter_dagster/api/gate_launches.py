"""What may be launched: `onboard_roles` for the caller's roles, `push_roles` with their pushes.

The run config, the selector and the tags are built here from the few values that a caller may
choose. The rest of Dagster's launch parameters could run anything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from etter_dagster.api.dagster_upstream import LOCATION, REPOSITORY
from etter_dagster.api.gate_document import Arguments, refused
from etter_dagster.api.gate_visit import KIND_TAG, PARTITION_TAG, Visit
from etter_dagster.model.identity import derived_workflow_id, normalize_name
from etter_dagster.onboarding.batches import check_batch_size
from etter_dagster.onboarding.handing_in import MAX_KEY

MAX_TAGS = 20
MAX_TEXT = 500
MAX_TAG = 200
# Tags with a slash steer Dagster and its launchers (a pod's whole specification, for one).
_FREE_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")
USER_TAG = "user"  # becomes `created_by` in the history
Tags = list[dict[str, str]]


async def launch_run(visit: Visit, arguments: Arguments) -> Arguments:
    """`launchRun`: one role, or pushes."""
    params = arguments["executionParams"]
    selector = params["selector"]
    where = (selector["repositoryLocationName"], selector["repositoryName"])
    if where != (LOCATION, REPOSITORY):
        raise refused(f"the selector names {LOCATION} and {REPOSITORY}")
    if params.get("mode") not in (None, "default"):
        raise refused("mode is default")
    job = selector.get("jobName")
    tags = (params.get("executionMetadata") or {}).get("tags") or []
    config = params.get("runConfigData")
    if job == "onboard_roles":
        made, own_tags = await _one_role(visit, config, tags)
    elif job == "push_roles":
        made, own_tags = _pushes(visit, config), _free_tags(tags)
    else:
        raise refused("only onboard_roles and push_roles are launched")
    return {
        "executionParams": {
            "selector": {
                "jobName": job,
                "repositoryName": REPOSITORY,
                "repositoryLocationName": LOCATION,
            },
            "mode": "default",
            "runConfigData": made,
            "executionMetadata": {"tags": [*own_tags, visit.key_tag]},
        }
    }


async def launch_backfill(visit: Visit, arguments: Arguments) -> Arguments:
    """`launchPartitionBackfill`: any number of roles."""
    params = arguments["backfillParams"]
    names = list(dict.fromkeys(params.get("partitionNames") or ()))
    chosen = params.get("assetSelection")
    visit.require_assets(chosen or ())
    if chosen and {key["path"][0] for key in chosen} != set(visit.assets):
        raise refused("assetSelection is all assets of a role; or leave it out")
    roles = await visit.require_roles(names)
    config, forced = _onboard_config(params.get("runConfigData"))
    tags = _free_tags(params.get("tags") or [])
    for company, count in Counter(role.company_id for role in roles).items():
        visit.record(
            "launch-backfill",
            target=company,
            company_id=company,
            created_by=_user(tags),
            roles=count,
            force_rerun=forced,
        )
    texts = {
        name: params[name] for name in ("title", "description") if params.get(name) is not None
    }
    if any(len(text) > MAX_TEXT for text in texts.values()):
        raise refused(f"title and description have at most {MAX_TEXT} characters")
    return {
        "backfillParams": {
            "assetSelection": [{"path": [asset]} for asset in visit.assets],
            "partitionNames": names,
            "runConfigData": config,
            "tags": [*tags, {"key": KIND_TAG, "value": "roles"}, visit.key_tag],
            **texts,
        }
    }


async def _one_role(
    visit: Visit, config: Any, tags: Sequence[Mapping[str, str]]
) -> tuple[dict[str, Any], Tags]:
    keys = [tag["value"] for tag in tags if tag["key"] == PARTITION_TAG]
    if len(keys) != 1:
        raise refused(f"onboard_roles is launched with one tag {PARTITION_TAG}, a role id")
    (role,) = await visit.require_roles(keys)
    made, forced = _onboard_config(config)
    own = _free_tags([tag for tag in tags if tag["key"] != PARTITION_TAG])
    await visit.add_partitions(keys)
    visit.record(
        "launch-run",
        target=role.role_id,
        company_id=role.company_id,
        created_by=_user(own),
        force_rerun=forced,
    )
    return made, [*own, {"key": PARTITION_TAG, "value": role.role_id}]


def _onboard_config(config: Any) -> tuple[dict[str, Any], bool]:
    values = _inner(config, ("ops", "onboard", "config"))
    forced = values.pop("force_rerun", False)
    if values or not isinstance(forced, bool):
        raise refused("runConfigData holds force_rerun (true or false) only")
    return ({"ops": {"onboard": {"config": {"force_rerun": True}}}} if forced else {}), forced


def _pushes(visit: Visit, config: Any) -> dict[str, Any]:
    values = _inner(config, ("ops", "queue_pushes", "config"))
    pushes, key = values.pop("pushes", None), values.pop("idempotency_key", None)
    key_id = values.pop("api_key_id", None)
    if values or not isinstance(pushes, list) or not all(isinstance(p, dict) for p in pushes):
        raise refused("the config of push_roles is pushes, a list, and idempotency_key")
    if not isinstance(key, str) or not 1 <= len(key) <= MAX_KEY:
        raise refused(f"idempotency_key is a text of 1 to {MAX_KEY} characters")
    if key_id not in (None, visit.caller.key_id):
        raise refused("api_key_id is this key's own id; or leave it out")
    check_batch_size(len(pushes), "pushes")
    for index, push in enumerate(pushes):
        company = push.get("company_id")
        own = isinstance(company, str) and visit.caller.sees(normalize_name(company))
        if visit.caller.companies is not None and not own:
            raise refused(f"pushes[{index}].company_id is no company of this key")
    ids = [derived_workflow_id(visit.caller.key_id, key, str(i)) for i in range(len(pushes))]
    visit.extensions["workflow_ids"] = ids
    made = {"pushes": pushes, "idempotency_key": key, "api_key_id": visit.caller.key_id}
    return {"ops": {"queue_pushes": {"config": made}}}


def _inner(config: Any, path: Sequence[str]) -> dict[str, Any]:
    """What stands at a path of a run config that holds nothing else."""
    for name in path:
        if config is None:
            return {}
        if not isinstance(config, dict) or set(config) - {name}:
            raise refused(f"runConfigData is an object and holds {'.'.join(path)} only")
        config = config.get(name)
    if config is not None and not isinstance(config, dict):
        raise refused(f"{'.'.join(path)} is an object")
    return dict(config or {})


def _free_tags(tags: Sequence[Mapping[str, str]]) -> Tags:
    if len(tags) > MAX_TAGS:
        raise refused(f"at most {MAX_TAGS} tags")
    for tag in tags:
        if not _FREE_TAG.fullmatch(tag["key"]) or len(tag["value"]) > MAX_TAG:
            raise refused(f"the tag {tag['key'][:100]} may not be set")
    return [{"key": tag["key"], "value": tag["value"]} for tag in tags]


def _user(tags: Tags) -> str | None:
    return next((tag["value"] for tag in tags if tag["key"] == USER_TAG), None)
