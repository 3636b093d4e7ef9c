"""`bridge demo`: a stand-in Moodle, a fresh site, and the whole main line before your eyes."""

from __future__ import annotations

import secrets
import shutil
from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import requests
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from bridge import log
from bridge.bootstrap import Bridge, SystemClock, open_bridge, publish_files, serve_site
from bridge.catalog.staff import parse_staff_list
from bridge.demo import hooks, work
from bridge.demo.booking import StandInPretix, scene
from bridge.demo.booking import seed as booking_seed
from bridge.demo.idp import StandInProvider
from bridge.demo.launches import connect, course_page
from bridge.demo.lrs import scene as lrs_scene
from bridge.demo.moodle import StandInMoodle, seed
from bridge.demo.play import choose_cast, play
from bridge.demo.visitors import Visitor, links, office, open_pages, visitors
from bridge.domain.errors import BridgeError
from bridge.domain.model import Alias
from bridge.domain.records import Disposition
from bridge.services import awards as awards_service
from bridge.services import evidence as evidence_service
from bridge.services import explain as explain_service
from bridge.services import ledger as ledger_service
from bridge.services import mappings as mappings_service
from bridge.services import people as people_service
from bridge.services import profile_status
from bridge.services import publish as publish_service
from bridge.services import pull as pull_service
from bridge.services.staff import take_staff_list
from bridge.sitefolder import make_site

SOURCE = "moodle"
_clock = SystemClock()


class DemoFailed(BridgeError):
    """The demo did not come out as it must."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demo came to, for `--check` to look at."""

    received: int
    to_receive: int
    drafts: int
    unmapped: int
    unmatched: int
    core_profile: str
    level_profile: str
    returned_profile: str
    ledger_adds_up: bool
    second_pull_wrote_nothing: bool
    full_pull_calls: int
    reconciled_in_step: bool
    pages: dict[str, int]
    work_account: int
    bookings: scene.BookingsShown
    told_at_once: bool
    statements: lrs_scene.StatementsShown


def run_demo(folder: Path, console: Console, *, keep_running: bool, port: int) -> Shown:
    """Make the site in `folder`, run the main line, and show it. Raises BridgeError."""
    log.set_up(level="WARNING")
    moodle = StandInMoodle(seed.demo_site(_clock.now(), _clock.now, plugin=True))
    url = moodle.start(port)
    idp = StandInProvider([], _clock.now)
    idp.start()
    story = booking_seed.demo_shop(_clock.now(), _clock.now, secrets.token_urlsafe(24))
    pretix = StandInPretix(story.shop)
    pretix.start()
    statements = lrs_scene.Statements()
    statements.lrs.start()
    try:
        _heading(console, "1. A Moodle to work with, and a site for the bridge")
        console.print(
            f"The stand-in Moodle answers at {url} (200 learners, 14 courses, with the bridge's "
            "plugin)."
        )
        token = moodle.site.token_of(seed.SERVICE_USER)
        make_site(folder, url=url, token_file="moodle.token")  # noqa: S106  a file's name
        token_file = folder / "moodle.token"
        token_file.touch(mode=0o600)
        token_file.write_text(token, encoding="utf-8")
        hooks.configure(folder, moodle)
        work.configure(folder, idp)
        bookings = scene.Bookings(pretix, story)
        bookings.furnish(folder)
        statements.furnish(folder)
        console.print(f"The site is in {folder}: bridge.toml, mappings/, frameworks/.")
        bridge = open_bridge(folder)
        try:
            shown, who = _main_line(bridge, moodle, bookings, statements, idp, console)
            if keep_running:
                _stay(bridge, moodle, idp, who, console)
        finally:
            bridge.close()
    finally:
        idp.stop()
        moodle.stop()
        pretix.stop()
        statements.lrs.stop()
    return shown


def _main_line(
    bridge: Bridge,
    moodle: StandInMoodle,
    bookings: scene.Bookings,
    statements: lrs_scene.Statements,
    idp: StandInProvider,
    console: Console,
) -> tuple[Shown, list[Visitor]]:
    ctx = bridge.context
    publish_files(bridge, "the mappings that come with the demo")
    _staff_list(bridge, console)
    _heading(console, "2. Pulling completions through the Moodle connector")
    moodle.forget()
    to_receive = 840 + sum(
        moodle.site.modules[row.cmid].modname == "quiz"
        for row in moodle.site.activity_completions.values()
    )
    first = _pull(bridge, console)
    calls = len(moodle.requests)
    again = pull_service.pull(ctx, bridge.sources[SOURCE])
    console.print(
        f"{first.tally.new} completions of courses and quizzes in {calls} calls, by the plugin. "
        "Pulled again at once: "
        f"{'nothing was written' if again.tally.wrote_nothing else 'SOMETHING WAS WRITTEN'}."
    )
    _heading(console, "3. What became of them")
    lines = ledger_service.ledger(ctx)
    _show_ledger(lines, console)
    _show_drafts(bridge, console)
    unmapped = ledger_service.unmapped(ctx)
    _show_unmapped(unmapped, console)
    waiting = people_service.unmatched(ctx, bridge.identity)
    _show_unmatched(waiting, console)
    _heading(console, "4. Two people's word (played by the demo through the ordinary services)")
    cast = choose_cast(ctx)
    play(ctx, cast, lambda words: console.print(f"  [played] {words}", markup=False))
    _heading(console, "5. Badges out")
    _publish(bridge, console)
    profiles = [_profile(bridge, console, person.id, show=n == 0) for n, person in
                enumerate(cast.team)]  # fmt: skip
    report = publish_service.reconcile(ctx, bridge.targets[SOURCE])
    _heading(console, "6. The events booking system")
    booked = bookings.show(bridge, console)
    _heading(console, "7. Moodle tells at once")
    told_at_once = hooks.show(bridge, moodle, SOURCE, cast.waiting.id, console)
    _heading(console, "8. The Learning Record Store")
    told = statements.show(bridge, SOURCE, console)
    _heading(console, "9. The pages, one for each role")
    who = visitors(bridge, cast)
    pages = open_pages(bridge, who)
    for visitor in who:
        well = "opens" if pages[visitor.role] == 200 else "DOES NOT OPEN"
        console.print(f"  {visitor.role}: {visitor.person.name}'s page {well}.", markup=False)
    work.employ(bridge, idp, [visitor.person for visitor in who])
    at_work = work.sign_in(bridge, idp, who[0].person)
    console.print(f"  {work.TITLE}: it {'signs in' if at_work == 200 else 'DOES NOT SIGN IN'}.")
    _heading(console, "10. Next, with your own Moodle")
    _next_steps(console)
    counts = lines[0].counts
    shown = Shown(
        received=lines[0].received,
        to_receive=to_receive,
        drafts=counts[Disposition.EVIDENCE],
        unmapped=counts[Disposition.UNMAPPED],
        unmatched=counts[Disposition.UNMATCHED],
        core_profile=profiles[0],
        returned_profile=profiles[1],
        level_profile=profiles[2],
        ledger_adds_up=all(line.adds_up for line in ledger_service.ledger(ctx)),
        second_pull_wrote_nothing=again.tally.wrote_nothing,
        full_pull_calls=calls,
        reconciled_in_step=report.nothing and not (report.drifted or report.out_of_step),
        pages=pages,
        work_account=at_work,
        bookings=booked,
        told_at_once=told_at_once,
        statements=told,
    )
    return shown, who


def _heading(console: Console, text: str) -> None:
    console.print()
    console.rule(f"[bold]{text}", align="left")


def _staff_list(bridge: Bridge, console: Console) -> None:
    text = seed.staff_list(_clock.now())
    path = bridge.folder / "staff.csv"
    path.write_text(text, encoding="utf-8")
    editions = bridge.files().frameworks.editions
    groups = {group.key for edition in editions for group in edition.groups}
    rows = parse_staff_list(text, str(path), groups)
    report = take_staff_list(bridge.context, rows, [], bridge.identity)
    office(bridge)
    console.print(f"A staff list (staff.csv) gives {report.added} people their posts and managers.")


def _pull(bridge: Bridge, console: Console) -> pull_service.PullReport:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("Pulling completions", total=None)
        return pull_service.pull(
            bridge.context,
            bridge.sources[SOURCE],
            full=True,
            progress=lambda done, total: bar.update(task, completed=done, total=total or done),
        )


def _table(title: str, *columns: str) -> Table:
    made = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def _show_ledger(lines: list[ledger_service.LedgerLine], console: Console) -> None:
    made = _table("The ledger: every record has one disposition", "disposition", "records")
    for line in lines:
        for disposition, count in line.counts.items():
            made.add_row(disposition, str(count))
        made.add_row("[bold]received[/bold]", f"[bold]{line.received}[/bold]", end_section=True)
    console.print(made)


def _show_drafts(bridge: Bridge, console: Console) -> None:
    items = evidence_service.items(bridge.context)
    made = _table(
        f"Drafts: {len(items)}. The newest five:", "person", "activity", "on", "suggested"
    )
    for item in items[:5]:
        made.add_row(
            item.evidence.person_name,
            item.evidence.title,
            f"{item.evidence.occurred_on:%-d %b %Y}",
            ", ".join(str(claim.ref) for claim in item.claims),
        )
    console.print(made)
    told = explain_service.evidence(bridge.context, items[0].evidence.id, bridge.identity)
    record = next(part for part in told.parts if part.heading.startswith("Record"))
    console.print("Why the first of them ('bridge explain evidence'):")
    for line in record.lines:
        console.print(f"  {line}", markup=False, soft_wrap=True)


def _show_unmapped(unmapped: list[tuple[Alias, int, int]], console: Console) -> None:
    made = _table("Unmapped: no rule names these", "activity", "id number", "people waiting")
    for alias, _, people in unmapped:
        made.add_row(alias.facts.title or alias.facts.value, alias.facts.idnumber or "none",
                     str(people))  # fmt: skip
    console.print(made)


def _show_unmatched(waiting: list[people_service.Waiting], console: Console) -> None:
    why = Counter(each.why.message for each in waiting)
    made = _table("Unmatched: whose accounts are these?", "why", "accounts")
    for reason, count in why.most_common():
        made.add_row(reason, str(count))
    console.print(made)


def _publish(bridge: Bridge, console: Console) -> None:
    awards = awards_service.update_awards(bridge.context)
    console.print(f"{awards.made} awards from verified claims alone.")
    with Progress(TextColumn("{task.description}"), BarColumn(), console=console) as bar:
        task = bar.add_task("Publishing badges", total=1)
        report = publish_service.deliver(bridge.context, bridge.targets[SOURCE])
        shown = profile_status.keep(bridge.context, bridge.targets[SOURCE], "")
        bar.update(task, completed=1)
    console.print(f"{shown.shown} profiles show how people stand.")
    for words in (*report.needs_you, report.error):
        if words:
            console.print(f"  {words}", markup=False)
    made = _table(
        "Badges: desired against observed", "badge", "person", "by", "should be", "was seen"
    )
    for state in mappings_service.badge_states(bridge.context):
        made.add_row(
            f"{state.badge_title} {state.period}",
            state.person_name,
            state.road,
            state.desired,
            state.observed or "-",
        )
    console.print(made)


class _Text(HTMLParser):
    """The text of a page's main part, a line a block."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._inside = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside += tag == "main"

    def handle_endtag(self, tag: str) -> None:
        self._inside -= tag == "main"

    def handle_data(self, data: str) -> None:
        if self._inside and data.strip():
            self.lines.append(" ".join(data.split()))


def _profile(bridge: Bridge, console: Console, person: int, *, show: bool) -> str:
    """The learner's profile page of the stand-in, as text."""
    with bridge.context.store.reading() as uow:
        accounts = uow.people.accounts_of(person)
    url = bridge.targets[SOURCE].profile_url(accounts[0])
    page = _Text()
    page.feed(requests.get(url, timeout=10).text)
    text = "\n".join(page.lines)
    if show:
        console.print(Panel(text, title=f"The learner's profile page: {url}", expand=False))
    return text


def _next_steps(console: Console) -> None:
    for line in (
        "bridge init my-site                       makes your own site",
        "edit my-site/bridge.toml                  set the address of your Moodle",
        "export BRIDGE_MOODLE_TOKEN=...            the service user's token",
        "bridge doctor --site my-site              says what is missing, and how to give it",
        "bridge people import staff.csv --site my-site",
        "bridge mappings publish --site my-site    after editing mappings/ for your courses",
        "bridge pull --site my-site                then: bridge ledger, unmapped, unmatched",
        "bridge booking learn export.csv --site my-site    for a booking system's files",
        "bridge run --site my-site                 does it all by itself",
    ):
        console.print(f"  {line}", markup=False)


def _stay(
    bridge: Bridge,
    moodle: StandInMoodle,
    idp: StandInProvider,
    who: list[Visitor],
    console: Console,
) -> None:
    """Leave the stand-ins and the service up until somebody stops them."""

    crons: list[hooks.Cron] = []

    def ready(address: str) -> None:
        connect(bridge, moodle, SOURCE, address)
        crons.append(hooks.Cron(moodle, SOURCE, address))
        idp.redirect_uris.add(address.rstrip("/") + work.BACK)
        console.print(f"\nStill running. The Moodle: {moodle.base_url}  The bridge: {address}")
        console.print("Look around as one of these; each link signs in once:")
        for visitor, link in links(bridge, who, address).items():
            words = f"  {visitor.role} ({visitor.person.name}):"
            console.print(f"{words:44}{link}", markup=False, soft_wrap=True)
        course = course_page(bridge, moodle, who[0].person.id)
        if course:
            words = f"  From Moodle, as {who[0].person.name}:"
            console.print(f"{words:44}{course}", markup=False, soft_wrap=True)
        words = "  With a work account, as any of them:"
        way = f"{address.rstrip('/')}/sign-in/with/{work.NAME}"
        console.print(f"{words:44}{way}", markup=False, soft_wrap=True)
        console.print("Press Ctrl-C to stop.")

    try:
        serve_site(bridge, on_ready=ready, port=0, log_level="WARNING")
    finally:
        for cron in crons:
            cron.stop()


def check(shown: Shown) -> None:
    """Raise DemoFailed unless the demo came out as it must."""
    expectations: list[tuple[str, bool]] = [
        ("840 completions and the quizzes were received", shown.received == shown.to_receive > 840),
        ("drafts were made", shown.drafts > 100),
        ("something is left unmapped for the training team", shown.unmapped > 0),
        ("somebody is left unmatched", shown.unmatched > 0),
        ("the ledger adds up", shown.ledger_adds_up),
        ("the second pull wrote nothing", shown.second_pull_wrote_nothing),
        ("the full pull took at most 3 calls", shown.full_pull_calls <= 3),
        ("the first learner's profile shows LLR Core", "LLR Core" in shown.core_profile),
        ("the third learner's profile shows London Level 1", "London Level 1" in
         shown.level_profile),
        ("the first learner's profile shows how they stand", "verified and current" in
         shown.core_profile),
        ("the second learner's profile shows no badge", "LLR Core" not in shown.returned_profile),
        ("Moodle and the bridge are in step", shown.reconciled_in_step),
        ("a work account signs in", shown.work_account == 200),
        ("every role's page opens by its link", set(shown.pages.values()) == {200}),
        ("a webhook made a draft", shown.told_at_once),
        *scene.check(shown.bookings),
        *lrs_scene.check(shown.statements),
    ]  # fmt: skip
    failed = [words for words, held in expectations if not held]
    if failed:
        raise DemoFailed("The demo did not come out as it must: " + "; ".join(failed) + ".")


def clean_up(folder: Path) -> None:
    """Remove the demo's folder."""
    shutil.rmtree(folder, ignore_errors=True)
