"""`bridge booking`: learn what a supplier's table means, and load a file by its profile."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bridge.cli.booking_api import Api, api_options, named
from bridge.cli.common import console, json_option, opened, print_json, site_option, table
from bridge.cli.work import show_pull
from bridge.domain.proposals import Learner, Proposal
from bridge.services import pull as pull_service
from bridge.services.looking import LookReport, look_at_source
from bridge.services.tables import keep_profile, load_table

#: The exit status of `learn` where it must ask.
MUST_ASK = 3


@click.group()
def booking() -> None:
    """Tables of booking systems and LMSs: learn their columns, load their files."""


@booking.command()
@click.argument("what", metavar="FILE|URL")
@click.option("--profile", "name", help="What to call the profile; the file's name, unless given.")
@click.option(
    "--answer", "-a", "answers", multiple=True, metavar="ID=ANSWER",
    help="Answer a question by its id, as dates=day-first or 'word:A=no_show'. Repeat it.",
)  # fmt: skip
@click.option("--save", is_flag=True, help="Save it without asking, if nothing is open.")
@click.option("--replace", is_flag=True, help="Overwrite a profile of the same name.")
@api_options
@site_option
@json_option
def learn(
    what: str,
    name: str | None,
    answers: Sequence[str],
    save: bool,
    replace: bool,
    api: Api,
    folder: Path,
    as_json: bool,
) -> None:
    """Propose what each column of FILE is, show ten rows as understood, and save the profile.

    A file of JSON, or a URL, is an answer of an API: then it is a REST profile.
    With --json nothing is asked: the exit status is 3 while questions are open, and they are in
    what is printed; give --answer for each and run it again.
    """
    given = dict(_answer(text) for text in answers)
    with opened(folder) as bridge:
        file, shown = named(what)
        profile = name or _plain_name(file.stem)
        learner: Learner = api.learner(bridge, what, profile) or bridge.tables
        proposal = learner.propose(file, shown, profile, given)
        _check_answers(proposal, given)
        asks = not as_json and sys.stdin.isatty()
        while asks and proposal.questions:
            _show(proposal)
            given |= _ask(proposal)
            proposal = learner.propose(file, shown, profile, given)
        saved: Path | None = None
        if not as_json:
            _show(proposal)
            _show_open(proposal)
        if proposal.settled and (save or (asks and click.confirm("Save this profile?"))):
            saved = keep_profile(bridge.context, learner, proposal, replace=replace)
    if as_json:
        print_json(_told(proposal, saved))
    elif saved:
        console.print(f"Saved: {saved}", markup=False, soft_wrap=True)
        how = (
            f'Ask by it: add [rest.NAME] with profile = "{profile}" to bridge.toml, then '
            "'bridge booking dry-run NAME'."
            if "request" in proposal.profile
            else f'Load files by it: add [files.NAME] with folder = "..." and profile = '
            f"\"{profile}\" to bridge.toml, then 'bridge booking load FILE --source NAME'."
        )
        console.print(how, markup=False, soft_wrap=True)
    elif proposal.settled:
        console.print("Nothing was saved. Run it again with --save, if the rows are right.")
    if not proposal.settled:
        sys.exit(MUST_ASK)


def _answer(text: str) -> tuple[str, str]:
    # An equals sign may be part of a word that is asked about; the answer has none.
    key, equals, value = text.rpartition("=")
    if not equals or not key:
        raise click.BadParameter(f"'{text}' is no answer; write it as dates=day-first")
    return key, value


def _check_answers(proposal: Proposal, given: Mapping[str, str]) -> None:
    """Refuse an answer that is none of the choices, which would be asked again in silence."""
    for question in proposal.questions:
        choices = [choice.value for choice in question.choices]
        if choices and question.id in given and given[question.id] not in choices:
            raise click.BadParameter(
                f"'{given[question.id]}' is no answer to '{question.id}' ({question.asks}); "
                f"it takes one of {', '.join(choices)}"
            )


def _plain_name(stem: str) -> str:
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in stem.casefold())
    return "-".join(part for part in plain.split("-") if part)[:80] or "profile"


def _ask(proposal: Proposal) -> dict[str, str]:
    answers = {}
    for question in proposal.questions:
        console.print(f"\n{question.asks}", markup=False)
        if question.because:
            console.print(question.because, markup=False)
        for number, choice in enumerate(question.choices, 1):
            console.print(f"  {number}  {choice.words}", markup=False)
        if question.choices:
            picked = click.prompt("Number", type=click.IntRange(1, len(question.choices)))
            answers[question.id] = question.choices[picked - 1].value
        else:
            answers[question.id] = click.prompt("Answer")
    return answers


def _where(proposal: Proposal) -> str:
    """Where its columns are: under headings, or in the records of an answer."""
    request = proposal.profile.get("request")
    if request is None:
        return f"headings: row {proposal.headings_row}"
    return f"records at {request['records']}; next page by {request['paging']['kind']}"


def _show(proposal: Proposal) -> None:
    profile = proposal.profile
    console.print(f"{profile['kind'].capitalize()}; {_where(proposal)}.", markup=False)
    console.print(
        table(
            "What its columns are",
            ("column", "is"),
            [
                *((head, field.replace("_", " ")) for field, head in profile["columns"].items()),
                *((s["column"], "who came to this session") for s in profile.get("sessions", ())),
                *((f"above the table: {label}", field.replace("_", " "))
                  for field, label in profile.get("above", {}).items()),
            ],
        )
    )  # fmt: skip
    if proposal.ignored:
        console.print(f"Not kept: {', '.join(proposal.ignored)}", markup=False, soft_wrap=True)
    for note in proposal.notes:
        console.print(note, markup=False, soft_wrap=True)
    cells = list(dict.fromkeys(key for row in proposal.rows for key in row.cells))
    console.print(
        table(
            "Its first rows, as understood",
            ("row", *cells, ""),
            (
                (row.row, *(row.cells.get(c, "") for c in cells), row.problem)
                for row in proposal.rows
            ),
        )
    )
    for key in ("dates", "words", "when_silent", "key"):
        if value := profile.get(key):
            if isinstance(value, Mapping):
                value = ", ".join(f"{word} is {means}" for word, means in value.items())
            elif not isinstance(value, str):
                value = ", ".join(value)
            console.print(f"{key}: {value}", markup=False, soft_wrap=True)


def _show_open(proposal: Proposal) -> None:
    """What is left open, for whoever answers by options; at a terminal it is asked instead."""
    for question in proposal.questions:
        console.print(
            f"Open: {question.asks} (--answer '{question.id}=...')", markup=False, soft_wrap=True
        )
        if question.choices:
            choices = ", ".join(choice.value for choice in question.choices)
            console.print(f"  one of {choices}", markup=False, soft_wrap=True)


def _told(proposal: Proposal, saved: Path | None) -> dict[str, Any]:
    return {
        "settled": proposal.settled,
        "profile": proposal.profile,
        "questions": proposal.questions,
        "rows": proposal.rows,
        "ignored": proposal.ignored,
        "notes": proposal.notes,
        "headings_row": proposal.headings_row,
        "saved": str(saved) if saved else None,
    }


@booking.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--source", required=True, help="The [files.NAME] whose profile reads it.")
@click.option("--dry-run", is_flag=True, help="Say what would become of its rows; load nothing.")
@site_option
@json_option
def load(file: Path, source: str, dry_run: bool, folder: Path, as_json: bool) -> None:
    """Load FILE as if it had lain in the folder of a source. The file stays where it is."""
    with opened(folder) as bridge:
        trusted = bridge.folders.one(source, file, file.name)
        with _bar(as_json) as bar:
            what = "Looking at" if dry_run else "Loading"
            tell = _teller(bar, f"{what} {file.name}")
            if dry_run:
                _show_look(look_at_source(bridge.context, trusted, progress=tell), as_json)
                return
            report = load_table(bridge.context, trusted, progress=tell)
    if as_json:
        tally = report.tally
        print_json({"source": source, "note": report.note, "needs_you": report.needs_you,
                    **tally.as_counts(), "dispositions": dict(tally.dispositions)})  # fmt: skip
    else:
        show_pull(report)
    if report.needs_you:
        sys.exit(1)


def _bar(quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console, disable=quiet,
    )  # fmt: skip


def _teller(bar: Progress, title: str) -> pull_service.Progress:
    task = bar.add_task(title, total=None)

    def tell(done: int, expected: int | None) -> None:
        bar.update(task, completed=done, total=expected if expected is not None else done)

    return tell


def _show_look(report: LookReport, as_json: bool) -> None:
    tally = report.tally
    if as_json:
        print_json({"source": report.source, **tally.as_counts(), "trainers": report.trainers,
                    "dispositions": dict(tally.dispositions)})  # fmt: skip
        return
    console.print(
        f"{report.source}: {tally.items} records; {tally.new} would be new, {tally.changed} "
        f"changed, {tally.unchanged} are known. Nothing was written."
    )
    for disposition, count in tally.dispositions.items():
        console.print(f"  {count} of the new would be {disposition}")
    if tally.unread_words:
        console.print(f"  {tally.unread_words}", markup=False, soft_wrap=True)
