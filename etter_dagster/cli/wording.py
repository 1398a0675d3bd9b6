"""What the service calls things, in the words of the command line.

The service names fields and routes of REST; a person at a terminal has options, arguments and
commands, or the columns of a CSV. Only what people read is put so: JSON stays as REST gives it.
"""

from __future__ import annotations

import re

_OPTIONS = {
    "company_id": "COMPANY",
    "company_name": "COMPANY",
    "role_name": "ROLE",
    "documents": "--document FILE",
    "draup_role_name": "--draup-role NAME",
    "since": "--since",
    "until": "--until",
    "cursor": "--cursor",
}
_COLUMNS = {
    "company_id": "company",
    "role_name": "role",
    "documents": "jd",
    "draup_role_name": "draup_role",
}
# A field stands where a problem begins: texts of strangers are left as they are.
_FIELD = re.compile(r"(?:^|(?<=; ))([a-z_]+)(\[\d+\]\.[a-z]+)?(?=: )")
_HINTS = {
    "GET /roles/{company_name}": "`etter roles COMPANY`",
    "GET /history/{company_id}": "`etter roles COMPANY`",
    "GET /assessments/{role_id}?history=true": "`etter show ROLE_ID --history`",
    "at least one document with content or a uri": "at least one document",
}
_OPTION_HINTS = _HINTS | {"the Draup role (or draup_role_id)": "the Draup role"}


def said_field(field: str) -> str:
    """A field of a request as an option or an argument.

    Args:
        field: As REST names it.
    """
    return _OPTIONS.get(field.partition("[")[0], field)


def said(message: str) -> str:
    """A message that names options, arguments and commands.

    Args:
        message: As the service gives it.
    """
    return _put(message, _OPTIONS, _OPTION_HINTS)


def said_of_row(message: str) -> str:
    """A message about a row of a CSV, that names its columns.

    Args:
        message: As the service gives it.
    """
    return _put(message, _COLUMNS, _HINTS)


def _put(message: str, fields: dict[str, str], hints: dict[str, str]) -> str:
    for hint, ours in hints.items():
        message = message.replace(hint, ours)
    return _FIELD.sub(lambda found: fields.get(found[1], found[0]), message)
