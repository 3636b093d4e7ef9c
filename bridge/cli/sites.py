"""`bridge init` and `bridge doctor`: making a site, and proving that its peers will work."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from bridge.bootstrap import Bridge
from bridge.bootstrap_doors import mail_room
from bridge.bootstrap_setup import setup_findings
from bridge.cli.common import console, json_option, opened, print_json, site_option
from bridge.cli.xapi import endpoint_address
from bridge.domain.errors import BridgeError
from bridge.domain.ports import Finding
from bridge.services.lrs.senders import senders
from bridge.sitefolder import make_site


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Make a working folder: bridge.toml, mappings/, frameworks/ and the key for reflections."""
    made = make_site(folder)
    for path in made:
        console.print(f"  made {path}", markup=False)
    console.print(
        f"\nNext: set the address of your Moodle in {folder / 'bridge.toml'} and its token in the "
        "environment variable BRIDGE_MOODLE_TOKEN, then run:\n"
        f"  bridge doctor --site {shlex.quote(str(folder))}",
        markup=False,
    )


@click.command()
@site_option
@json_option
def doctor(folder: Path, as_json: bool) -> None:
    """Try every source and target with real, harmless calls, and say in words what is missing."""
    findings: dict[str, list[Finding]] = {}
    with opened(folder) as bridge:
        findings["this site"] = _site_findings(bridge)
        findings["mail"] = _mail_findings(bridge)
        findings["this site"] += _unused_settings(bridge)
        for name in bridge.identity:
            if name not in bridge.sources:
                findings[name] = _sent_here(bridge, name)
                continue
            try:
                checks = bridge.sources[name].connector.doctor()
                if name in bridge.config.moodle:
                    # As a target it answers at the same address: once is enough.
                    checks += [f for f in bridge.targets[name].doctor() if f not in checks]
                    checks += setup_findings(bridge, name)
            except BridgeError as error:
                checks = [Finding("settings", False, str(error))]
            findings[name] = checks
        for name, teller in bridge.tellers.items():
            findings.setdefault(name, []).extend(teller.doctor())
        if not bridge.identity:
            findings["this site"].append(
                Finding(
                    "a source",
                    False,
                    "Nothing is configured to pull from, and nobody may send statements here.",
                    "Add [moodle.NAME], [lrs.NAME] or [files.NAME] to bridge.toml, or let a system "
                    "send: 'bridge xapi credential add'.",
                )
            )
    if as_json:
        print_json(findings)
    else:
        _show(findings)
    if any(not f.ok and not f.warning for checks in findings.values() for f in checks):
        sys.exit(1)


def _site_findings(bridge: Bridge) -> list[Finding]:
    files = bridge.files()
    problems = [*files.frameworks.problems, *files.mappings.problems, *files.badges.problems]
    found = [
        Finding(
            "file", problem.severity == "warning", str(problem), "", problem.severity == "warning"
        )
        for problem in problems
    ]
    database = bridge.engine.dialect.name
    found.append(Finding("database", True, f"{database} is up to date, and its guards stand."))
    if not problems:
        found.append(Finding("files", True, "Frameworks, mappings and badges read well."))
    return found


def _unused_settings(bridge: Bridge) -> list[Finding]:
    """Sections of bridge.toml from which nothing follows as they stand."""
    sent = {sender.source_key for sender in senders(bridge.context)}
    found = [
        (f"[xapi.source.{name}]", f"No credential is for the source '{name}', so nothing is sent "
         f"as it. Make one with 'bridge xapi credential add {name}', or correct the name.")
        for name in bridge.config.xapi.source if name not in sent
    ] + [
        (f"[lrs.{name}]", "It says pull = false and has no [tell] section, so this LRS is neither "
         "read nor told anything. Take out pull = false, or say what it is told: "
         "docs/xapi-telling.md.")
        for name, section in bridge.config.lrs.items() if not section.pull and section.tell is None
    ]  # fmt: skip
    return [Finding(check, True, words, warning=True) for check, words in found]


def _sent_here(bridge: Bridge, name: str) -> list[Finding]:
    """A source whose statements are sent to our own endpoint: there is nothing to call."""
    own = [each for each in senders(bridge.context) if each.source_key == name]
    used = [each.used_at for each in own if each.used_at is not None]
    rules = ", ".join(bridge.identity[name])
    if all(each.revoked_at is not None for each in own):
        words = "Every credential of this source has ended, so nothing more is sent."
        return [Finding("sent here", True, words)]
    if not used:
        words = (
            f"Nothing was sent yet. Enter the address {endpoint_address(bridge)}, the user name "
            "and the password in the system that sends (docs/xapi-endpoint.md)."
        )
        return [Finding("sent here", True, words, warning=True)]
    words = f"Sent last at {max(used):%Y-%m-%d %H:%M} UTC. Its accounts join people by: {rules}."
    return [Finding("sent here", True, words)]


def _mail_findings(bridge: Bridge) -> list[Finding]:
    try:
        found = [mail_room(bridge).mailer.doctor()]
    except BridgeError as error:
        return [Finding("settings", False, str(error))]
    if bridge.config.mail.go_live is None:
        found.append(
            Finding(
                "go_live", True, "No go-live date is set, so only links are mailed.",
                warning=True,
            )
        )  # fmt: skip
    return found


def _show(findings: dict[str, list[Finding]]) -> None:
    for name, checks in findings.items():
        console.print(f"\n[bold]{name}[/bold]")
        show_findings(checks)


def show_findings(checks: list[Finding]) -> None:
    """Findings, each with its remedy."""
    for finding in checks:
        mark = "[green]ok  [/green]" if finding.ok else "[red]fix [/red]"
        if finding.warning:
            mark = "[yellow]note[/yellow]"
        console.print(mark, end=" ")
        console.print(f"{finding.check}: {finding.message}", markup=False, soft_wrap=True)
        if finding.remedy and not finding.ok and finding.remedy not in finding.message:
            console.print(f"       {finding.remedy}", markup=False, soft_wrap=True)
