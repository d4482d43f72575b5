"""`./loreel audit ACTION`: lists, verifies and exports the audit log; needs the database, not a running studio."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from orchestrator.domain.audit import Act
from orchestrator.domain.errors import AppError
from orchestrator.domain.numbers import parse_id
from orchestrator.services.audit.chain import verify
from orchestrator.services.audit.entries import AuditFilter, AuditRow, newest_entries
from orchestrator.services.audit.export import FORMATS, export_lines
from orchestrator.services.audit.recording import record
from orchestrator.services.db import session_scope
from orchestrator.stack.command_line import person_at_the_command_line


def main(arguments: Sequence[str]) -> int:
    """The command.

    Returns:
        0: it was done, and with `verify` every entry agrees. 1: an entry was changed. 2: the arguments make no sense.
    """
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except AppError as error:
        print(f"loreel: {error.message}", file=sys.stderr)
        return 2


def _verify(options: argparse.Namespace) -> int:
    given, _, known = (options.known or "").partition(":")
    number = parse_id(given)
    if options.known and not (number and len(known) == 64):
        print("loreel: --known takes an entry and its hash as `verify` prints them: 1234:0123abcd...", file=sys.stderr)
        return 2
    with session_scope() as session:
        found = verify(session, number, known)
    if found.problem:
        print(f"CHANGED  {found.problem} The {found.entries:,} entries before it agree.")
        return 1
    print(f"ok       {found.entries:,} entries agree; the newest is {found.last_id}:{found.last_hash}")
    return 0


def _list(options: argparse.Namespace) -> int:
    with session_scope() as session:
        rows = newest_entries(session, _filter(options), options.limit)
    for row in reversed(rows):
        print(_line(row))
    return 0


def _export(options: argparse.Namespace) -> int:
    chosen = _filter(options)
    with session_scope() as session:
        person = person_at_the_command_line()
        record(session, person, Act.AUDIT_EXPORTED, object_name="audit log", after={"format": options.format})
    for line in export_lines(chosen, options.format):
        sys.stdout.write(line)
    return 0


def _line(row: AuditRow) -> str:
    refused = " refused" if row.outcome == "refused" else ""
    name = f" {row.object_name}" if row.object_name else ""
    place = f" from {row.address}" if row.address else ""
    time = row.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{row.id:>8}  {time}  {row.actor or 'unknown'}{place}: {row.act}{refused}{name}"


def _filter(options: argparse.Namespace) -> AuditFilter:
    return AuditFilter(acts=options.acts, who=options.who, since=options.since, until=options.until)


def _time(text: str) -> datetime:
    """A day or a time; without a time zone it is UTC."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./loreel audit", description="The audit log of this studio.")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    chosen = argparse.ArgumentParser(add_help=False)
    chosen.add_argument("--acts", default="", help="acts such as token.created, or kinds of objects such as token")
    chosen.add_argument("--who", default="", help="text in the name of who acted")
    chosen.add_argument("--since", type=_time, help="a day or a time in UTC, such as 2026-01-31")
    chosen.add_argument("--until", type=_time, help="the same")
    show = actions.add_parser("list", parents=[chosen], help="print the newest entries")
    show.add_argument("--limit", type=int, default=50, help="how many, 50 by default")
    show.set_defaults(run=_list)
    check = actions.add_parser("verify", help="compute every hash again and name the first entry that was changed")
    check.add_argument("--known", help="the newest entry as an earlier `verify` printed it, kept outside the studio")
    check.set_defaults(run=_verify)
    export = actions.add_parser("export", parents=[chosen], help="write the entries to the standard output")
    export.add_argument("--format", choices=list(FORMATS), default="jsonl")
    export.set_defaults(run=_export)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
