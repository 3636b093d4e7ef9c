"""`bridge evidence`: what a practitioner and a verifier do, each with their own token."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from bridge.cli.common import (
    console,
    json_option,
    opened,
    opened_as_person,
    print_json,
    refs,
    site_option,
    table,
    token_option,
)
from bridge.domain.claims import ClaimState, evidence_summary
from bridge.domain.model import Claim
from bridge.services import evidence as evidence_service
from bridge.services import people as people_service
from bridge.services import verify as verify_service
from bridge.services.evidence import Item, OwnActivity

_read_option = click.option(
    "--read", type=int, required=True,
    help="The number of the reflection that you read, as 'bridge evidence show' gives it.",
)  # fmt: skip


@click.group()
def evidence() -> None:
    """Drafts, reflections, verifications. Acting needs your own token (BRIDGE_TOKEN)."""


@evidence.command("list")
@click.option("--person", help="One person: number, staff number, email or name.")
@click.option(
    "--state",
    type=click.Choice([state.value for state in ClaimState]),
    help="Only evidence with a claim in this state.",
)
@site_option
@json_option
def list_(person: str | None, state: str | None, folder: Path, as_json: bool) -> None:
    """Evidence, newest first, without anybody's text."""
    with opened(folder) as bridge:
        who = people_service.find(bridge.context, person).id if person else None
        found = evidence_service.items(bridge.context, person=who, state=state)
    show_items(found, as_json)


@evidence.command()
@token_option
@site_option
@json_option
def mine(token_file: Path | None, folder: Path, as_json: bool) -> None:
    """Your own evidence, and what waits for your decision."""
    with opened_as_person(folder, token_file) as bridge:
        person = bridge.context.actor.person
        own = evidence_service.items(bridge.context, person=person)
        waiting = verify_service.waiting(bridge.context)
    if as_json:
        print_json({"own": own, "waiting for you": waiting})
        return
    show_items(own, False, "Your evidence")
    if waiting:
        show_items(waiting, False, "Waiting for your decision")


@evidence.command()
@click.argument("number", type=int)
@token_option
@site_option
@json_option
def show(number: int, token_file: Path | None, folder: Path, as_json: bool) -> None:
    """One piece of your evidence, or one submitted to you, with its reflection.

    Reading another person's reflection is written into the audit trail.
    """
    with opened_as_person(folder, token_file) as bridge:
        item = evidence_service.item(bridge.context, number)
        read, text = evidence_service.version_if_any(bridge.context, number)
        mine = item.evidence.person == bridge.context.actor.person
        verifiers = (
            evidence_service.may_verify(bridge.context, item.evidence.person, item.evidence.id)
            if mine
            else []
        )
        notes = evidence_service.notes(bridge.context, number)
    if as_json:
        print_json({"item": item, "reflection": text, "read": read, "notes": notes,
                    "verifiers": verifiers})  # fmt: skip
        return
    show_item(item)
    if read is not None:
        console.print(f"\nReflection {read}: decide on it with '--read {read}'.", markup=False)
    for part, words in (text or {}).items():
        if words:
            console.print(f"\n{part}: {words}", markup=False)
    for note in notes:
        console.print(
            f"\nClaim {note.claim_id}, {note.decision} by {note.by}: {note.text}", markup=False
        )
    if mine:
        console.print(
            "\nMay verify: "
            + (", ".join(f"{name} ({pid}, {why})" for pid, name, why in verifiers) or "nobody yet"),
            markup=False,
        )


def show_item(item: Item) -> None:
    """A piece of evidence with its claims."""
    found = item.evidence
    console.print(
        f"Evidence {found.id}: {found.title}, {found.occurred_on:%-d %B %Y}, {found.person_name}",
        markup=False,
    )
    console.print(
        table(
            "",
            ("claim", "competency", "text", "state", "notes"),
            ((c.id, c.ref, c.text, c.state.value, "; ".join(remarks(c))) for c in item.claims),
        )
    )


def remarks(claim: Claim) -> list[str]:
    """What else there is to know about a claim."""
    found = []
    if claim.contested:
        found.append("contested")
    if claim.origin == "person":
        found.append("added by the person")
    elif not claim.suggested:
        found.append("no longer suggested")
    return found


def show_items(found: Sequence[Item], as_json: bool, title: str = "Evidence") -> None:
    """Evidence as a table or as JSON."""
    if as_json:
        print_json(found)
        return
    console.print(
        table(
            title,
            ("no.", "date", "person", "what", "where it stands", "claims"),
            (
                (
                    i.evidence.id,
                    i.evidence.occurred_on,
                    i.evidence.person_name,
                    i.evidence.title,
                    evidence_summary([c.state for c in i.claims]),
                    ", ".join(str(c.ref) for c in i.claims),
                )
                for i in found
            ),
        )
    )


@evidence.command()
@click.argument("number", type=int)
@click.option("--claim", "codes", multiple=True, required=True, help="13, or london-2024:L3.1.")
@click.option("--verifier", required=True, help="Number, staff number, email or name.")
@click.option("--reflection", help="Your words; without it they are read from standard input.")
@click.option("--used", default="", help="E-learning: how you have used it in your role.")
@token_option
@site_option
def reflect(
    number: int,
    codes: tuple[str, ...],
    verifier: str,
    reflection: str | None,
    used: str,
    token_file: Path | None,
    folder: Path,
) -> None:
    """Tick what evidence NUMBER truly shows, reflect, and submit it to a verifier."""
    with opened_as_person(folder, token_file) as bridge:
        if reflection is None:
            if sys.stdin.isatty():
                console.print("Your reflection; end with Ctrl-D on an empty line:")
            reflection = sys.stdin.read()
        who = people_service.find(bridge.context, verifier)
        evidence_service.submit(bridge.context, number, refs(codes), reflection, who.id, used=used)
    console.print(f"Submitted to {who.name}. You can take it back with 'recall'.", markup=False)


@evidence.command()
@click.argument("number", type=int)
@token_option
@site_option
def recall(number: int, token_file: Path | None, folder: Path) -> None:
    """Take back what you submitted; it is a draft again."""
    with opened_as_person(folder, token_file) as bridge:
        count = evidence_service.recall(bridge.context, number)
    console.print(f"{count} claims are back with you.")


@evidence.command()
@click.argument("number", type=int)
@click.option("--claim", "codes", multiple=True, required=True)
@token_option
@site_option
def dismiss(number: int, codes: tuple[str, ...], token_file: Path | None, folder: Path) -> None:
    """Say that suggested or returned claims do not apply; they can be reopened."""
    with opened_as_person(folder, token_file) as bridge:
        count = evidence_service.dismiss(bridge.context, number, refs(codes))
    console.print(f"{count} claims dismissed.")


@evidence.command()
@click.argument("number", type=int)
@click.option("--claim", "codes", multiple=True, required=True)
@token_option
@site_option
def reopen(number: int, codes: tuple[str, ...], token_file: Path | None, folder: Path) -> None:
    """Bring dismissed claims back as suggestions."""
    with opened_as_person(folder, token_file) as bridge:
        count = evidence_service.reopen(bridge.context, number, refs(codes))
    console.print(f"{count} claims reopened.")


@evidence.command()
@click.option("--title", required=True)
@click.option(
    "--activity", required=True, help="A recognised activity, as 'reflective-supervision'."
)
@click.option("--on", "day", required=True, type=click.DateTime(["%Y-%m-%d", "%d/%m/%Y"]))
@click.option("--claim", "codes", multiple=True, required=True)
@click.option("--reference", help="Where a record of it is held.")
@token_option
@site_option
def add(
    title: str,
    activity: str,
    day: datetime,
    codes: tuple[str, ...],
    reference: str | None,
    token_file: Path | None,
    folder: Path,
) -> None:
    """Record evidence of your own: supervision, shadowing, reading and the like."""
    own = OwnActivity(title, activity, day.date(), reference)
    with opened_as_person(folder, token_file) as bridge:
        number = evidence_service.add_own(bridge.context, own, refs(codes))
    console.print(f"Recorded as evidence {number}. Submit it with 'bridge evidence reflect'.")


@evidence.command()
@click.argument("number", type=int)
@click.argument("record", type=int)
@token_option
@site_option
def split(number: int, record: int, token_file: Path | None, folder: Path) -> None:
    """Give RECORD, one of several joined in evidence NUMBER, a piece of evidence of its own."""
    with opened_as_person(folder, token_file) as bridge:
        made = people_service.split(bridge.context, number, record)
    console.print(f"Record {record} now supports evidence {made}.")


@evidence.command()
@click.argument("number", type=int)
@click.option("--claim", "codes", multiple=True, help="Only these; else all that wait.")
@click.option("--method", required=True, help="As in the framework: 'supervision', 'discussion'...")
@click.option("--note", default="", help="What was discussed; encrypted.")
@_read_option
@token_option
@site_option
def verify(
    number: int,
    codes: tuple[str, ...],
    method: str,
    note: str,
    read: int,
    token_file: Path | None,
    folder: Path,
) -> None:
    """Verify claims that were submitted to you, with how you assessed them."""
    with opened_as_person(folder, token_file) as bridge:
        chosen = refs(codes) if codes else None
        made = verify_service.verify(bridge.context, number, chosen, method, note=note, read=read)
    console.print(f"{len(made)} claims verified.")


@evidence.command("return")
@click.argument("number", type=int)
@click.option("--claim", "codes", multiple=True, help="Only these; else all that wait.")
@click.option("--question", required=True)
@_read_option
@token_option
@site_option
def return_(
    number: int,
    codes: tuple[str, ...],
    question: str,
    read: int,
    token_file: Path | None,
    folder: Path,
) -> None:
    """Send submitted claims back with a question."""
    with opened_as_person(folder, token_file) as bridge:
        chosen = refs(codes) if codes else None
        made = verify_service.send_back(bridge.context, number, chosen, question, read=read)
    console.print(f"{len(made)} claims sent back.")


@evidence.command()
@click.argument("claim", type=int)
@click.option("--reason", required=True)
@token_option
@site_option
def revoke(claim: int, reason: str, token_file: Path | None, folder: Path) -> None:
    """Take back the verification of a CLAIM (its number, as 'show' gives it)."""
    with opened_as_person(folder, token_file) as bridge:
        verify_service.revoke(bridge.context, claim, reason)
    console.print("The verification is taken back.")


@evidence.command()
@click.argument("claim", type=int)
@click.option("--reason", required=True)
@token_option
@site_option
def uphold(claim: int, reason: str, token_file: Path | None, folder: Path) -> None:
    """Say of a contested CLAIM that it stands."""
    with opened_as_person(folder, token_file) as bridge:
        verify_service.uphold(bridge.context, claim, reason)
    console.print("The claim stands.")
