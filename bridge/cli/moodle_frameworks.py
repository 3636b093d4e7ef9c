"""`bridge moodle frameworks` and `bridge moodle links`: frameworks into a Moodle, its links out."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bridge import bootstrap_setup as setup
from bridge.cli.common import console, json_option, opened, print_json, site_option, table
from bridge.cli.moodle import admin_options, admin_token, admin_variable, moodle
from bridge.domain.errors import NotFound
from bridge.domain.frameworks import Edition
from bridge.domain.lms_frameworks import FrameworkPlan, competency_idnumber
from bridge.services.course_links import LinkedCourse, linked_courses
from bridge.services.lms_frameworks import FrameworksReport, bring_frameworks


@moodle.command()
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--edition", "editions", multiple=True, help="Only this edition, as llr-2020.")
@click.option("--no-courses", is_flag=True, help="Leave the courses' links alone.")
@click.option("--restore", is_flag=True, help="Put back what was reworded or moved in Moodle.")
@click.option(
    "--files", "upload_folder", type=click.Path(path_type=Path, file_okay=False),
    help="Write files for Moodle's own import page here, and ask Moodle nothing.",
)  # fmt: skip
@click.option("--scale", type=click.IntRange(1), help="The number of the scale for new frameworks.")
@admin_options
@site_option
@json_option
def frameworks(
    name: str,
    dry_run: bool,
    editions: tuple[str, ...],
    no_courses: bool,
    restore: bool,
    upload_folder: Path | None,
    scale: int | None,
    ask_admin: bool,
    admin_stdin: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Bring the frameworks into the Moodle NAME, and link the courses that mappings name.

    With the service user's token, or an administrator's for this run. Nothing is ever removed
    there, and no course is ever let complete a competency by itself.
    """
    token = admin_token(name, ask=ask_admin, stdin=admin_stdin)
    with opened(folder) as bridge:
        chosen = _chosen(tuple(bridge.files().frameworks.editions), editions)
        if upload_folder is not None:
            _write(setup.framework_files(bridge, name, chosen), upload_folder)
            return
        report = bring_frameworks(
            bridge.context,
            name,
            setup.competencies(bridge, name, token, scale),
            chosen,
            dry_run=dry_run,
            restore=restore,
            link_courses=not no_courses,
        )
    if as_json:
        print_json(report)
    else:
        _show(report)
        if report.failed and token is None:
            console.print(
                "The service user may not do this, and need not: run it again with "
                f"--ask-admin, or an administrator's token in {admin_variable(name)}.",
                markup=False, soft_wrap=True,
            )  # fmt: skip
    if report.failed or (report.links and (report.links.loud or report.links.others_loud)):
        sys.exit(1)


def _write(told: tuple[str, dict[str, str]], folder: Path) -> None:
    page, files = told
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
        console.print(f"{page}: import {folder / name}", markup=False, soft_wrap=True)
    console.print(
        "Import each once; what is in Moodle already is not changed by an import. Courses are "
        "linked by this command without --files.", markup=False, soft_wrap=True,
    )  # fmt: skip


def _chosen(known: tuple[Edition, ...], wanted: tuple[str, ...]) -> list[Edition]:
    by_id = {edition.id: edition for edition in known}
    for name in wanted:
        if name not in by_id:
            raise NotFound(f"There is no edition '{name}'; there are: {', '.join(by_id)}.")
    return [by_id[name] for name in wanted] if wanted else list(known)


def _show(report: FrameworksReport) -> None:
    would = report.dry_run
    rows = [_row(plan) for plan in report.frameworks]
    columns = ("framework", "there", "to make", "reads differently", "moved", "extra in Moodle")
    title = "What would change" if would else "What was found before"
    console.print(table(f"{title} in {report.source}", columns, rows))
    for plan in report.frameworks:
        _details(plan)
    links = report.links
    if links is not None:
        console.print(
            f"Courses that the mappings name: {report.courses_suggested}; "
            f"{report.courses_read} could be read.", markup=False,
        )  # fmt: skip
        for course, ref in links.add if would else ():
            console.print(f"  would link course {course} to {competency_idnumber(ref)}")
        if would and links.waiting:
            waiting = len(links.waiting)
            console.print(f"  would make {waiting} links to competencies that are not there yet")
        for loud in (*links.loud, *links.others_loud):
            ours = loud in links.loud
            console.print("[red]LOOK[/red]", end=" ")
            console.print(
                f"course {loud.course} completes {loud.idnumber} '{loud.name}' "
                "by itself, without any person's word. "
                + (
                    "It would be set to 'Attach evidence'."
                    if ours and would
                    else "It was set to 'Attach evidence'."
                    if ours
                    else "It is not of our frameworks: set it to 'Attach evidence' on the course's "
                    "page Competencies."
                ),
                markup=False, soft_wrap=True,
            )  # fmt: skip
    if report.failed:
        console.print(f"It stopped: {report.failed}", markup=False, soft_wrap=True)
    if not would:
        console.print(
            f"{report.made} made, {report.restored} put back, {report.linked} courses' links made, "
            f"{report.calmed} outcomes put back."
        )
    elif report.in_step:
        console.print("Everything is in step: nothing would change.")


def _row(plan: FrameworkPlan) -> tuple[object, ...]:
    there = "yes" if plan.existing else "no"
    if plan.renamed:
        there = "yes, another name or description"
    return (
        plan.wanted.idnumber, there, len(plan.create), len(plan.unlike), len(plan.moved),
        len(plan.extra),
    )  # fmt: skip


def _details(plan: FrameworkPlan) -> None:
    for has, wanted in plan.unlike:
        console.print(
            f"  {wanted.idnumber} reads differently in Moodle: '{has.name}' (--restore puts it "
            "back)", markup=False, soft_wrap=True,
        )  # fmt: skip
    for has, wanted in plan.moved:
        console.print(
            f"  {has.idnumber} stands elsewhere than below {wanted.parent or 'the framework'} "
            "(--restore moves it)", markup=False, soft_wrap=True,
        )  # fmt: skip
    for one in plan.concluding:
        console.print("[red]LOOK[/red]", end=" ")
        console.print(
            f"{one.idnumber} is concluded by Moodle from others: its rule is taken away, since no "
            "person's word stands behind it.", markup=False, soft_wrap=True,
        )  # fmt: skip
    if plan.extra:
        names = ", ".join(one.idnumber or one.name for one in plan.extra[:20])
        console.print(
            f"  in Moodle and not in the file, left alone: {names}", markup=False, soft_wrap=True
        )


@moodle.command()
@click.argument("name")
@click.option("--read", "read_now", is_flag=True, help="Ask Moodle first; otherwise as last read.")
@admin_options
@site_option
@json_option
def links(
    name: str, read_now: bool, ask_admin: bool, admin_stdin: bool, folder: Path, as_json: bool
) -> None:
    """Which competencies the Moodle NAME links its courses to, as suggestions for mappings.

    They are read each night, and never in force by themselves.
    """
    token = admin_token(name, ask=ask_admin, stdin=admin_stdin)
    with opened(folder) as bridge:
        setup.check_moodle(bridge, name)
        read = setup.read_course_links(bridge, name, token) if read_now else None
        found = linked_courses(bridge.context, name)
    if as_json:
        print_json({"read": read, "courses": found})
        return
    if read is not None:
        console.print(f"{read.read} of {read.asked} courses answered, with {read.links} links.")
    rows = (_linked(one) for one in found)
    console.print(
        table(f"Courses of {name} and what it links them to",
              ("course", "links to", "no rule suggests", "not of ours", "as of"), rows)
    )  # fmt: skip
    for one in found:
        if one.snippet:
            console.print(f"\n{one.snippet}", markup=False, soft_wrap=True)
    for one in found:
        for loud in one.loud:
            console.print("[red]LOOK[/red]", end=" ")
            console.print(
                f"{one.alias.facts.title or one.alias.facts.value} completes '{loud.name}' by "
                "itself, without any person's word.", markup=False, soft_wrap=True,
            )  # fmt: skip


def _linked(one: LinkedCourse) -> tuple[object, ...]:
    facts = one.alias.facts
    return (
        f"{facts.title or facts.shortname or ''} ({facts.value})",
        ", ".join(map(str, one.refs)),
        "no rule" if one.mapped is None else ", ".join(map(str, one.missing)),
        ", ".join(link.idnumber or link.name for link in one.strange),
        one.seen_at,
    )
