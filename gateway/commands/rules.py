"""`coalition rules`: transfer rules, from a reviewed file and back to one."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from brands.coalition import Coalition
from brands.errors import DomainError
from brands.moving.rulebook import Change, publish_rules
from brands.registry import Snapshot
from brands.rules import Pair, TransferRule
from gateway import console
from gateway.commands.keys import KEEPER
from gateway.files.rules_file import BadRules, FileRule, problem_of, read_rules
from gateway.files.rules_text import differences, fields_of, file_of, terms_shown, way_of
from gateway.running import Failure, opened, run
from gateway.settings import read_settings

rules = typer.Typer(help="Transfer rules.", no_args_is_help=True, rich_markup_mode=None)


class _Mark(StrEnum):
    """How a rule stands to the one before it."""

    NEW = "+"
    CHANGED = "~"
    UNCHANGED = "="


@rules.command()
def apply(
    file: Annotated[Path, typer.Argument(help="The file of rules; docs/rules.md tells its form.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the file and show what it would change.")
    ] = False,
) -> None:
    """Publish the rules of a TOML file: all of them, or none if anything is wrong with one.

    \b
    Shows what changes:
      + STAY -> AERO   a rule for a pair that has none, with its fields
      ~ AERO -> STAY   a rule in place of another, with the fields that differ
      =                rules that say what is in force already are only counted
    Rules that the file does not name are left as they are. None is ever deleted: close the pair,
    or publish another rule for it.

    Everything that is wrong is told on standard error; nothing is published then, and the exit
    status is 1.
    """
    run(_apply(file, dry_run=dry_run))


async def _apply(file: Path, *, dry_run: bool) -> None:
    content = file.read_bytes()  # noqa: ASYNC240  # small, and nothing else is going on
    async with opened(read_settings()) as coalition:
        try:
            read = read_rules(content, coalition.registry.snapshot)
            changes = await _publish(coalition, read, dry_run=dry_run)
        except BadRules as bad:
            for problem in bad.problems:
                console.note(problem)
            count = len(bad.problems)
            what = "1 problem" if count == 1 else f"{count:,} problems"
            raise Failure(f"{file}: {what}; nothing was published") from None
        snapshot = coalition.registry.snapshot
    _show_changes(changes, snapshot)
    _show_others({each.pair for each in read}, snapshot)
    counts = Counter(map(_mark, changes))
    console.say(
        f"{counts[_Mark.NEW]:,} new, {counts[_Mark.CHANGED]:,} changed,"
        f" {counts[_Mark.UNCHANGED]:,} unchanged."
    )
    if dry_run:
        console.say("This was a dry run: nothing was published.")


async def _publish(
    coalition: Coalition, read: Sequence[FileRule], *, dry_run: bool
) -> Sequence[Change]:
    """Publishes what was read. Raises `BadRules` with the refusal in the words of the file."""
    try:
        return await publish_rules(coalition, KEEPER, [each.rule for each in read], dry_run=dry_run)
    except DomainError as error:
        raise BadRules([problem_of(error, read)]) from error


def _mark(change: Change) -> _Mark:
    if change.unchanged:
        return _Mark.UNCHANGED
    return _Mark.NEW if change.old is None else _Mark.CHANGED


def _show_changes(changes: Sequence[Change], snapshot: Snapshot) -> None:
    """One block for each rule that is new or changed."""
    for change in changes:
        if change.unchanged:
            continue
        console.say(f"{_mark(change)} {way_of(change.new.pair, snapshot)}")
        fields = fields_of(change.new, snapshot)
        shown = (
            differences(fields_of(change.old, snapshot), fields)
            if change.old
            else terms_shown(fields)
        )
        for line in shown:
            console.say(f"    {line}")
        console.say(f"    from {change.new.effective_from:%Y-%m-%d %H:%M} UTC")


def _show_others(named: set[Pair], snapshot: Snapshot) -> None:
    """The rules in force that a file does not name."""
    others = [rule for rule in _in_force(snapshot) if rule.pair not in named]
    for rule in others:
        console.say(f"  {way_of(rule.pair, snapshot)}: left as it is")


@rules.command()
def show(
    from_: Annotated[
        str | None, typer.Option("--from", help="Only rules for points that leave this brand.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(help="Only rules for points that arrive at this brand.")
    ] = None,
) -> None:
    """Print the rules in force, as a file that `rules apply` reads."""
    run(_show(from_, to))


async def _show(source: str | None, destination: str | None) -> None:
    async with opened(read_settings()) as coalition:
        snapshot = coalition.registry.snapshot
    wanted = [None if code is None else snapshot.brand(code).id for code in (source, destination)]
    found = [
        rule
        for rule in _in_force(snapshot)
        if all(id in (None, its) for id, its in zip(wanted, rule.pair[:2], strict=True))
    ]
    console.say(file_of(found, snapshot).rstrip("\n") if found else "# no rules")


def _in_force(snapshot: Snapshot) -> list[TransferRule]:
    """The rules in force now, in the order of their pairs' names."""
    rules = (snapshot.rule(pair) for pair in snapshot.pairs())
    return sorted(filter(None, rules), key=lambda rule: way_of(rule.pair, snapshot))
