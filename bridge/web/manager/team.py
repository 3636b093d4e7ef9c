"""A manager's team: who stands where with what is asked of them, together and one by one."""

from __future__ import annotations

from flask import render_template, request

from bridge.domain.permissions import Permission
from bridge.services import agreements, teams
from bridge.services.progress import Stand
from bridge.web.access import ctx, permits, visitor
from bridge.web.manager.blueprint import manager
from bridge.web.manager.matrix import matrix


@manager.get("/team/")
@permits(Permission.TEAM)
def team() -> str:
    """The matrix, of one framework at a time, of everybody or of one target group."""
    found = teams.team(ctx())
    asked = {line.ref.edition for member in found.members for line in member.lines}
    editions = [e for e in found.editions if e.id in asked]
    wanted = request.args.get("framework", "")
    edition = next((e for e in editions if e.id == wanted), editions[0] if editions else None)
    titles = agreements.titles_of(found.editions)
    held = {g for m in found.members for p in m.posts for g in p.target_groups}
    group = request.args.get("group", "")
    group = group if group in held else ""
    members = [
        m for m in found.members if not group or any(group in p.target_groups for p in m.posts)
    ]
    return render_template(
        "manager/team.html",
        team=found,
        shown=matrix(members, edition, visitor().person),
        editions=editions,
        edition=edition,
        groups=sorted((titles.get(key, key), key) for key in held),
        group=group,
        Stand=Stand,
    )


@manager.get("/team/<int:person_id>")
@permits(Permission.TEAM)
def member(person_id: int) -> str:
    """One person: posts, where they stand, that drafts exist, what waits, what was agreed."""
    shown = teams.member(ctx(), person_id)
    return render_template(
        "manager/member.html",
        member=shown,
        person=shown.progress.person,
        me=visitor().person,
        editions={e.id: e for e in shown.editions},
        titles=agreements.titles_of(shown.editions),
        Stand=Stand,
    )
