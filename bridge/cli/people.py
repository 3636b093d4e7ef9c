"""`bridge people` and `bridge unmatched`: staff lists, merges, accounts, roles, approvals."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from bridge.catalog.staff import read_staff_list
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
from bridge.domain.authority import Authority
from bridge.domain.permissions import GRANTED, Role
from bridge.domain.staff import Organisation
from bridge.services import accounts as account_service
from bridge.services import people as people_service
from bridge.services import roles as roles_service
from bridge.services import signin
from bridge.services.desk import person_page
from bridge.services.progress import progress
from bridge.services.staff import take_staff_list


@click.group()
def people() -> None:
    """People, their posts, their accounts and their tokens."""


@people.command("import")
@click.argument("staff_list", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@site_option
@json_option
def import_(staff_list: Path, folder: Path, as_json: bool) -> None:
    """Take in a STAFF_LIST (CSV): all of it, or nothing if a line is wrong."""
    with opened(folder) as bridge:
        editions = bridge.files().frameworks.editions
        groups = {group.key for edition in editions for group in edition.groups}
        rows = read_staff_list(staff_list, groups)
        organisations = [
            Organisation(key, section.name or key, section.kind, section.exempt)
            for key, section in bridge.config.organisation.items()
        ]
        report = take_staff_list(bridge.context, rows, organisations, bridge.identity)
    if as_json:
        print_json(report)
    else:
        console.print(
            f"{report.rows} lines: {report.added} people added, {report.changed} other changes "
            f"(people, organisations), {report.accounts_matched} waiting accounts matched."
        )


@people.command("list")
@site_option
@json_option
def list_(folder: Path, as_json: bool) -> None:
    """Everybody the bridge knows."""
    with opened(folder) as bridge:
        found = people_service.everyone(bridge.context)
    if as_json:
        print_json(found)
    else:
        console.print(table("People", ("no.", "name"), ((p.id, p.name) for p in found)))


@people.command()
@click.argument("person")
@site_option
@json_option
def show(person: str, folder: Path, as_json: bool) -> None:
    """Where PERSON stands: posts, and each competency current, due, waiting or missing."""
    with opened(folder) as bridge:
        who = people_service.find(bridge.context, person)
        found = progress(bridge.context, who.id)
    if as_json:
        print_json(found)
        return
    console.print(f"{found.name} ({found.person}): {found.headline}", markup=False)
    for post in found.posts:
        console.print(f"  {post.title}, {post.organisation_key}: {', '.join(post.target_groups)}")
    for name in found.other_frameworks:
        console.print(f"  Other framework: {name}", markup=False)
    if found.training_due:
        console.print("  Training due: the last attended learning was 3 years ago or more.")
    rows = ((line.ref, line.stand.value, line.until, line.text) for line in found.lines)
    console.print(table("", ("competency", "stands", "until", "text"), rows))


@people.command()
@click.argument("person")
@click.argument("into")
@click.option("--reason", required=True, help="How you know that they are one person.")
@site_option
def merge(person: str, into: str, reason: str, folder: Path) -> None:
    """PERSON and INTO are one human being. It can be undone with 'unmerge'."""
    with opened(folder) as bridge:
        one = people_service.find(bridge.context, person)
        other = people_service.find(bridge.context, into)
        contested = people_service.merge(bridge.context, one.id, other.id, reason)
    console.print(f"{one.name} ({one.id}) is now part of {other.name} ({other.id}).", markup=False)
    if contested:
        console.print(f"{contested} claims they had verified for themselves are contested.")


@people.command()
@click.argument("person", type=int)
@click.option("--reason", required=True, help="How you know that they are two people.")
@site_option
def unmerge(person: int, reason: str, folder: Path) -> None:
    """Undo the merge of PERSON (their own number)."""
    with opened(folder) as bridge:
        parted = people_service.unmerge(bridge.context, person, reason)
    console.print(f"Person {person} is separate from person {parted.into} again. {parted.words}")


@people.command()
@click.argument("account", type=int)
@click.argument("person")
@click.option("--reason", required=True, help="How you know that the account is theirs.")
@site_option
def link(account: int, person: str, reason: str, folder: Path) -> None:
    """Say that ACCOUNT (its number in 'bridge unmatched') belongs to PERSON."""
    with opened(folder) as bridge:
        who = people_service.find(bridge.context, person)
        people_service.link(bridge.context, account, who.id, reason)
    console.print(f"Account {account} belongs to {who.name}.", markup=False)


@people.command()
@click.argument("account", type=int)
@click.option("--reason", required=True, help="How you know that the account is not theirs.")
@site_option
def unlink(account: int, reason: str, folder: Path) -> None:
    """ACCOUNT was joined to the wrong person: it is nobody's again."""
    with opened(folder) as bridge:
        people_service.unlink(bridge.context, account, reason)
    console.print(f"Account {account} is nobody's now.")


@people.command()
@click.argument("person")
@site_option
def token(person: str, folder: Path) -> None:
    """Issue PERSON a token to act with; it is shown once. The audit trail says who issued it."""
    with opened(folder) as bridge:
        who = people_service.find(bridge.context, person)
        secret = people_service.issue_token(bridge.context, who.id)
    click.echo(secret)


@people.command("revoke-tokens")
@click.argument("person")
@site_option
def revoke_tokens(person: str, folder: Path) -> None:
    """End every token of PERSON."""
    with opened(folder) as bridge:
        who = people_service.find(bridge.context, person)
        ended = people_service.revoke_tokens(bridge.context, who.id)
    console.print(f"{ended} tokens ended.")


@people.command()
@click.argument("person")
@click.argument("kind", type=click.Choice(["assessor", "peer"]))
@site_option
def approve(person: str, kind: str, folder: Path) -> None:
    """Approve PERSON to verify as an assessor or a peer."""
    with opened(folder) as bridge:
        who = people_service.find(bridge.context, person)
        people_service.approve(bridge.context, who.id, Authority(kind))
    console.print(f"{who.name} may verify as {kind}.", markup=False)


@people.command()
@click.argument("person")
@click.argument("role", type=click.Choice(sorted(role.value for role in GRANTED)))
@click.option("--organisation", help="Its key, for a role in one organisation only.")
@site_option
def grant(person: str, role: str, organisation: str | None, folder: Path) -> None:
    """Give PERSON a ROLE, for the whole partnership or one organisation."""
    with opened(folder) as bridge:
        who = people_service.find(bridge.context, person)
        roles_service.grant_role(bridge.context, who.id, Role(role), organisation)
    console.print(f"{who.name} has the role '{role}'.", markup=False)


@people.command("revoke-role")
@click.argument("number", type=int)
@site_option
def revoke_role(number: int, folder: Path) -> None:
    """Take a role back, by its NUMBER in 'bridge people roles'."""
    with opened(folder) as bridge:
        roles_service.end_role(bridge.context, number)
    console.print(f"Role {number} has ended.")


@people.command()
@site_option
@json_option
def roles(folder: Path, as_json: bool) -> None:
    """The roles that were given, and to whom."""
    with opened(folder) as bridge:
        found = roles_service.grants(bridge.context)
    if as_json:
        print_json(found)
        return
    rows = (
        (g.id, g.person_name, g.person, g.role.value, g.organisation_name or "the partnership",
         g.granted_at, g.granted_by)
        for g in found
    )  # fmt: skip
    columns = ("no.", "name", "person", "role", "for", "since", "by")
    console.print(table("Roles", columns, rows))


@people.command()
@click.argument("person")
@click.option("--days", type=click.IntRange(1, 30), default=3, help="How long it is good for.")
@site_option
def invite(person: str, days: int, folder: Path) -> None:
    """A sign-in link for PERSON, to hand over; it works once."""
    with opened(folder) as bridge:
        base_url = bridge.config.web.base_url or (
            f"http://{bridge.config.status_host()}:{bridge.config.jobs.status_port}"
        )
        who = people_service.find(bridge.context, person)
        secret = signin.invite(bridge.context, who.id, timedelta(days=days))
    click.echo(f"{base_url}/link/{secret}")


@people.command("end-approval")
@click.argument("person")
@click.argument("kind", type=click.Choice(["assessor", "peer"]))
@site_option
def end_approval(person: str, kind: str, folder: Path) -> None:
    """PERSON verifies no more as an assessor or a peer; what they verified stands."""
    with opened(folder) as bridge:
        who = people_service.find(bridge.context, person)
        for each in person_page(bridge.context, who.id).approvals:
            if each.kind == kind:
                people_service.end_approval(bridge.context, each.id)
    console.print(f"{who.name} does not verify as {kind}.", markup=False)


@people.command("not-applicable")
@click.argument("person")
@click.argument("competency")
@click.option("--reason", required=True)
@token_option
@site_option
def not_applicable(
    person: str, competency: str, reason: str, token_file: Path | None, folder: Path
) -> None:
    """As their manager, mark a COMPETENCY as not applicable to PERSON, with the reason."""
    with opened_as_person(folder, token_file) as bridge:
        who = people_service.find(bridge.context, person)
        people_service.waive(bridge.context, who.id, refs([competency])[0], reason)
    console.print(f"{competency} does not apply to {who.name}.", markup=False)


@people.command("none-of-these")
@click.argument("account", type=int)
@click.option("--reason", required=True, help="How you know that it is nobody shown.")
@site_option
def none_of_these(account: int, reason: str, folder: Path) -> None:
    """ACCOUNT is none of the people shown for it; you are not asked again."""
    with opened(folder) as bridge:
        account_service.nobody(bridge.context, account, reason, bridge.identity)
    console.print("Noted. It is not asked again.")


@people.command("ask-again")
@click.argument("account", type=int)
@site_option
def ask_again(account: int, folder: Path) -> None:
    """Put ACCOUNT back into the unmatched queue."""
    with opened(folder) as bridge:
        account_service.ask_again(bridge.context, account)
    console.print("It is in the unmatched queue again.")


@click.command()
@site_option
@json_option
def unmatched(folder: Path, as_json: bool) -> None:
    """Accounts that belong to nobody yet, with the reason, and whom a rule points at."""
    with opened(folder) as bridge:
        found = people_service.unmatched(bridge.context, bridge.identity)
    if as_json:
        print_json(found)
        return
    console.print(
        table(
            "Unmatched accounts",
            ("account", "source", "name there", "email", "staff no.", "records", "why", "could be"),
            (
                (
                    w.account.id,
                    w.source_key,
                    w.account.facts.display_name
                    or w.account.facts.username
                    or w.account.facts.value,
                    w.account.facts.email,
                    w.account.facts.staff_number,
                    w.records,
                    w.why.code,
                    ", ".join(
                        [f"{p.name} ({p.id})" for p in w.candidates]
                        + [f"hint: {h.name} ({h.person}), {h.reason}" for h in w.hints]
                    ),
                )
                for w in found
            ),
        )
    )
    for code, message in sorted({(w.why.code, w.why.message) for w in found}):
        console.print(f"  {code}: {message}", markup=False, soft_wrap=True)
    if found:
        console.print("Settle one with: bridge people link ACCOUNT PERSON --reason '...'")
