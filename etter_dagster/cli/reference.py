"""`etter docs`, hidden: the command line's reference, made from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer

_HEAD = """\
# The command line

Made by `etter docs > docs/cli.md`; a test compares the two.
"""


def docs(context: typer.Context) -> None:
    """Writes `docs/cli.md` to standard output."""
    import sys

    sys.stdout.write(reference(context.find_root().command))


def reference(group: Any) -> str:
    """The reference in Markdown; the same under every version of Typer.

    Args:
        group: The group of all commands.
    """
    shown = [_command(name, command) for name, command in _commands("etter", group)]
    return "\n".join([_HEAD, f"{group.help}\n", f"{group.epilog}\n", *shown])


def _commands(name: str, group: Any) -> Iterator[tuple[str, Any]]:
    for command in group.commands.values():
        full = f"{name} {command.name}"
        if hasattr(command, "commands"):
            yield from _commands(full, command)
        elif not command.hidden:
            yield full, command


def _command(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = [name, *map(_argument, arguments), "[OPTIONS]"]
    lines = [
        f"## `{name}`\n",
        inspect.cleandoc(command.help or "") + "\n",
        f"```\n{' '.join(usage)}\n```\n",
    ]
    rows = [(_argument(p) if p in arguments else _option(p), p.help) for p in command.params]
    if rows:
        lines += ["| | |", "| --- | --- |"]
        lines += [f"| `{_cell(name)}` | {_cell(text or '')} |" for name, text in rows]
        lines.append("")
    return "\n".join(lines)


def _argument(param: Any) -> str:
    name = param.metavar or param.name.upper()
    return name if param.required else f"[{name}]"


def _option(param: Any) -> str:
    name = ", ".join(param.opts)
    return name if param.is_flag else f"{name} {param.metavar or param.name.upper()}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
