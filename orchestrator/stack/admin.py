"""`./loreel admin ACTION`: manages accounts at the command line; needs the database, not a running studio."""

import argparse
import sys
from collections.abc import Sequence

from orchestrator.domain.errors import AppError
from orchestrator.domain.users import Role
from orchestrator.services.auth.people import PersonRow, find_person, list_people, set_disabled, set_role
from orchestrator.services.auth.resets import make_reset_link
from orchestrator.services.db import session_scope
from orchestrator.services.paging import MAX_LIMIT
from orchestrator.stack.command_line import person_at_the_command_line


def main(arguments: Sequence[str]) -> int:
    """The command.

    Returns:
        0: it was done. 1: it was refused, with a sentence.
    """
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except AppError as error:
        print(f"loreel: {error.message}", file=sys.stderr)
        return 1
    return 0


def _list(options: argparse.Namespace) -> None:
    person, cursor = person_at_the_command_line(), None
    while True:
        with session_scope() as session:
            page = list_people(session, person, q=options.q, limit=MAX_LIMIT, cursor=cursor)
        for row in page.items:
            print(_line(row))
        if (cursor := page.next) is None:
            return


def _disable(options: argparse.Namespace) -> None:
    with session_scope() as session:
        user_id = find_person(session, options.account)
        print(_line(set_disabled(session, person_at_the_command_line(), user_id, options.disabled)))


def _role(options: argparse.Namespace) -> None:
    with session_scope() as session:
        user_id = find_person(session, options.account)
        print(_line(set_role(session, person_at_the_command_line(), user_id, options.role)))


def _reset(options: argparse.Namespace) -> None:
    with session_scope() as session:
        user_id = find_person(session, options.account)
        made = make_reset_link(session, person_at_the_command_line(), user_id)
    print(f"Open this link within a day and choose a new password; it works once:\n{made.link}")


def _line(row: PersonRow) -> str:
    state = "disabled" if row.disabled_at else "active"
    return f"{row.id:>6}  {row.username:<32}  {row.email:<40}  {row.role:<6}  {state}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./loreel admin", description="The accounts of this studio.")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    account = argparse.ArgumentParser(add_help=False)
    account.add_argument("account", help="a username or an e-mail address")
    show = actions.add_parser("list", help="print the accounts")
    show.add_argument("q", nargs="?", default="", help="text in the username or the e-mail address")
    show.set_defaults(run=_list)
    for word, disabled, does in (
        ("disable", True, "end its sessions and refuse its logins and tokens"),
        ("enable", False, "let it log in again"),
    ):
        actions.add_parser(word, parents=[account], help=does).set_defaults(run=_disable, disabled=disabled)
    role = actions.add_parser("role", parents=[account], help="make it an administrator or a member")
    role.add_argument("role", choices=list(Role))
    role.set_defaults(run=_role)
    reset = actions.add_parser("reset-password", parents=[account], help="print a link that sets a new password once")
    reset.set_defaults(run=_reset)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
