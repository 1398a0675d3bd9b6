"""What the walk reports, as Dagster's events: metadata people read, and version tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import dagster as dg

from etter_dagster.onboarding.reporting import Materialization

DATA_VERSION_TAG = "dagster/data_version"
CODE_VERSION_TAG = "dagster/code_version"
INPUT_VERSION_TAG = "dagster/input_data_version/"
INPUT_POINTER_TAG = "dagster/input_event_pointer/"
_NO_POINTER = "NULL"


class Input(NamedTuple):
    """An asset of the same role that another one is made from.

    `event` is the id of an event of Dagster's log, not older than its materialization.
    """

    data_version: str
    event: int | None


def materialization(event: Materialization, inputs: Mapping[str, Input]) -> dg.AssetMaterialization:
    """An event of one asset of one role.

    Args:
        event: What was made.
        inputs: The parents it was made from, by asset name. Dagster shows the partition as out of
            sync at once unless each of its asset's parents is among them.
    """
    tags = {DATA_VERSION_TAG: event.data_version, CODE_VERSION_TAG: event.code_version}
    for asset, made in inputs.items():
        tags[f"{INPUT_VERSION_TAG}{asset}"] = made.data_version
        pointer = _NO_POINTER if made.event is None else str(made.event)
        tags[f"{INPUT_POINTER_TAG}{asset}"] = pointer
    return dg.AssetMaterialization(
        asset_key=event.asset,
        partition=event.role_id,
        metadata=metadata_values(event.metadata),
        tags=tags,
    )


def metadata_values(values: Mapping[str, Any]) -> dict[str, dg.MetadataValue]:
    """Metadata by the convention of `Materialization`; None and empty tables are left out."""
    found: dict[str, dg.MetadataValue] = {}
    for name, value in values.items():
        if value is None or value == []:
            continue
        found[name] = _value(name, value)
    return found


def _value(name: str, value: Any) -> dg.MetadataValue:
    if isinstance(value, bool):
        return dg.MetadataValue.bool(value)
    if isinstance(value, int):
        return dg.MetadataValue.int(value)
    if isinstance(value, float):
        return dg.MetadataValue.float(value)
    if isinstance(value, str):
        if name.endswith("_url"):
            return dg.MetadataValue.url(value)
        if name.endswith("_md"):
            return dg.MetadataValue.md(value)
        return dg.MetadataValue.text(value)
    return _table(value)


def _table(rows: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return dg.MetadataValue.table(
        records=[
            dg.TableRecord({column: _cell(row.get(column)) for column in columns}) for row in rows
        ],
        schema=dg.TableSchema(
            columns=[dg.TableColumn(column, _column_type(rows, column)) for column in columns]
        ),
    )


def _cell(value: Any) -> str | int | float | bool:
    return value if isinstance(value, (str, int, float, bool)) else ""


def _column_type(rows: Sequence[Mapping[str, Any]], column: str) -> str:
    kinds = {type(row[column]) for row in rows if row.get(column) is not None}
    if kinds == {bool}:
        return "bool"
    if kinds == {int}:
        return "int"
    return "float" if kinds and kinds <= {int, float} else "string"
