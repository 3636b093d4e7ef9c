"""A person on the desk: posts, accounts, merges, approvals, roles, and the way in for them."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, make_response, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField, StringField
from wtforms.validators import DataRequired, Length

from bridge.domain.authority import Authority
from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Person
from bridge.domain.permissions import GRANTED, Permission, Role
from bridge.services import desk as desk_service
from bridge.services import explain, people, progress, roles, signin
from bridge.services.directory import search_people
from bridge.web.access import ctx, permits, site
from bridge.web.asked import words
from bridge.web.training.blueprint import training, whole_partnership

WHOLE = ""


class MergeForm(FlaskForm):
    """Say that this entry and another are one human being."""

    into = StringField(
        "Who is the other entry?",
        [DataRequired("Say which other entry is the same human being."), Length(max=320)],
        description="Their number, staff number or email address. That entry's name stays.",
        id="merge-into",
    )
    reason = StringField(
        "How do you know?",
        [DataRequired("Say how you know that they are one person."), Length(max=400)],
        id="merge-reason",
    )


class TakeApartForm(FlaskForm):
    """Say why an account is not theirs, or why two entries are two people."""

    reason = StringField(
        "How do you know?",
        [DataRequired("Say how you know. It is kept in the trail."), Length(max=400)],
    )


class ApproveForm(FlaskForm):
    """Approve somebody to verify."""

    kind = RadioField(
        "Approve as",
        [DataRequired("Choose one.")],
        choices={
            "assessor": "Assessor: by the methods that the framework keeps for assessors",
            "peer": "Peer: by the methods that the framework opens to peers",
        },
    )


class RoleForm(FlaskForm):
    """Give a role."""

    role = SelectField(
        "Role",
        choices={role.value: role.value[0].upper() + role.value[1:] for role in sorted(GRANTED)},
    )
    organisation = SelectField("For", choices={})


@training.get("/people/<int:person_id>")
@permits(Permission.TRAINING)
def person(person_id: int) -> Response:
    """Everything about a person that is the training team's to see."""
    found = desk_service.person_page(ctx(), person_id)
    if found.person.id != person_id:
        return make_response(redirect(url_for("training.person", person_id=found.person.id)))
    return _page(found)


def _page(found: desk_service.PersonPage, status: int = 200, **forms: Any) -> Response:
    whole = whole_partnership()
    role = forms.get("role") or RoleForm(formdata=None)
    if whole:
        role.organisation.choices = _organisations()
    text = render_template(
        "training/person.html",
        found=found,
        merge=forms.get("merge") or MergeForm(formdata=None),
        approve=forms.get("approve") or ApproveForm(formdata=None),
        role=role,
        apart=forms.get("apart"),
        apart_of=forms.get("apart_of", ""),
        sends_links=site().ask_for_link is not None,
        today=site().ctx.clock.now().date(),
    )
    return make_response(text, status)


def _organisations() -> dict[str, str]:
    return {
        WHOLE: "The whole partnership",
        **dict(desk_service.organisations(ctx(Permission.TRAINING))),
    }


def _found(person_id: int) -> desk_service.PersonPage:
    return desk_service.person_page(ctx(Permission.TRAINING), person_id)


def _back(person_id: int, words: str) -> Response:
    flash(words)
    return make_response(redirect(url_for("training.person", person_id=person_id)))


@training.get("/people/<int:person_id>/standing")
@permits(Permission.TRAINING)
def standing(person_id: int) -> str:
    """Where they stand with each competency, and why (or why not) with one of them."""
    found = progress.progress(ctx(), person_id)
    asked = words("why")
    told = None
    if asked:
        edition, _, code = asked.rpartition(":")
        told = explain.absence(ctx(), person_id, CompetencyRef(edition, code), site().identity)
    return render_template("training/standing.html", found=found, told=told, asked=asked)


@training.post("/people/<int:person_id>/merge")
@permits(Permission.TRAINING_CHANGE)
def merge(person_id: int) -> Response:
    """They and another entry are one."""
    found = _found(person_id)
    form = MergeForm()
    if not form.validate_on_submit():
        return _page(found, 422, merge=form)
    try:
        into = _one(form.into.data or "")
        contested = people.merge(ctx(), person_id, into.id, form.reason.data or "")
    except (Refused, NotFound) as error:
        form.into.errors = [str(error)]
        return _page(found, 422, merge=form)
    said = f"{found.person.name} is now part of {into.name}. It can be undone here."
    if contested:
        said += f" {contested} claims that they verified for themselves are contested."
    return _back(into.id, said)


def _one(text: str) -> Person:
    """The one person meant, of those whom the visitor may see. Raises NotFound or Refused."""
    page = search_people(ctx(), text, limit=8) if text.strip() else None
    if page is None or not page.items:
        raise NotFound(f"Nobody is known as “{text}”.")
    if len(page.items) > 1:
        names = "; ".join(f"{e.person.name} ({e.person.id})" for e in page.items)
        raise Refused(f"That could be several people: {names}. Give the number.")
    return page.items[0].person


@training.post("/people/<int:person_id>/unmerge")
@permits(Permission.TRAINING_CHANGE)
def unmerge(person_id: int) -> Response:
    """This entry is somebody of their own again."""
    form = TakeApartForm()
    if not form.validate_on_submit():
        return _page(_found(person_id), 422, apart=form, apart_of=f"merge-{person_id}")
    parted = people.unmerge(ctx(), person_id, form.reason.data or "")
    return _back(person_id, parted.words)


@training.post("/people/<int:person_id>/approve")
@permits(Permission.TRAINING_CHANGE)
def approve(person_id: int) -> Response:
    """They may verify as an assessor or a peer."""
    found = _found(person_id)
    form = ApproveForm()
    if not form.validate_on_submit():
        return _page(found, 422, approve=form)
    people.approve(ctx(), person_id, Authority(form.kind.data))
    return _back(person_id, f"{found.person.name} may verify as {form.kind.data}.")


@training.post("/people/<int:person_id>/approvals/<int:approval_id>/end")
@permits(Permission.TRAINING_CHANGE)
def end_approval(person_id: int, approval_id: int) -> Response:
    """They verify as that no more."""
    people.end_approval(ctx(), approval_id)
    return _back(person_id, "The approval has ended. What they verified stands.")


@training.post("/people/<int:person_id>/roles")
@permits(Permission.TRAINING_CHANGE)
def give_role(person_id: int) -> Response:
    """Give a role, for all or for one organisation."""
    found = _found(person_id)
    form = RoleForm()
    form.organisation.choices = _organisations()
    if not form.validate_on_submit():
        return _page(found, 422, role=form)
    organisation = form.organisation.data or None
    roles.grant_role(ctx(), person_id, Role(form.role.data), organisation)
    return _back(person_id, f"{found.person.name} has the role “{form.role.data}”.")


@training.post("/people/<int:person_id>/roles/<int:grant_id>/end")
@permits(Permission.TRAINING_CHANGE)
def end_role(person_id: int, grant_id: int) -> Response:
    """Take a role back."""
    roles.end_role(ctx(), grant_id)
    return _back(person_id, "The role has ended.")


@training.post("/people/<int:person_id>/invite")
@permits(Permission.TRAINING_CHANGE)
def invite(person_id: int) -> Response:
    """Have a sign-in link sent to their own address.

    It is shown to nobody here: whoever holds it can act, and so verify, as that person.
    """
    found = _found(person_id)
    send = site().ask_for_link
    if not whole_partnership() or send is None:
        raise NotAllowed("No mail is sent from here. Ask whoever runs the bridge for a link.")
    send(found.person.id)
    return _back(found.person.id, f"A sign-in link is on its way to {found.person.name}.")


@training.post("/people/<int:person_id>/sign-out")
@permits(Permission.TRAINING_CHANGE)
def sign_out_person(person_id: int) -> Response:
    """End all their sign-ins and tokens, as when a telephone is lost."""
    ended = signin.sign_out_everywhere(ctx(), person_id)
    tokens = people.revoke_tokens(ctx(), person_id)
    return _back(person_id, f"{ended} sign-ins and {tokens} tokens have ended.")


@training.post("/people/<int:person_id>/accounts/<int:account_id>/unlink")
@permits(Permission.TRAINING_CHANGE)
def unlink(person_id: int, account_id: int) -> Response:
    """The account was joined to the wrong person."""
    form = TakeApartForm()
    if not form.validate_on_submit():
        return _page(_found(person_id), 422, apart=form, apart_of=f"account-{account_id}")
    people.unlink(ctx(), account_id, form.reason.data or "")
    return _back(
        person_id,
        "The account is nobody's now, and no rule joins it to this person again. What they "
        "worked on stays with them.",
    )
