"""What waits for the training team: unmapped activities, unmatched accounts, quarantine."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import RadioField, StringField
from wtforms.validators import DataRequired, Length

from bridge.domain.errors import NotFound, Refused
from bridge.domain.model import Person
from bridge.domain.permissions import Permission
from bridge.services import accounts, ledger, people
from bridge.services import desk as desk_service
from bridge.services.directory import search_people
from bridge.web.access import ctx, permits, site
from bridge.web.asked import number, row_number, words
from bridge.web.training.blueprint import training


class LinkForm(FlaskForm):
    """Say whose an account is."""

    person = RadioField(
        "Whose account is it?", [DataRequired("Choose a person.")], coerce=row_number
    )
    reason = StringField(
        "How do you know?",
        [DataRequired("Say how you know that this account is theirs."), Length(max=400)],
        description="Such as “asked her by telephone; she has a second address”. It is kept.",
    )


@training.get("/unmapped")
@permits(Permission.TRAINING)
def unmapped() -> str:
    """Activities that no rule names, by how many people wait on them."""
    source = words("source") or None
    return render_template(
        "training/unmapped.html",
        page=desk_service.unmapped_page(ctx(), source, words("after") or None),
        source=source,
    )


@training.get("/unmatched")
@permits(Permission.TRAINING)
def unmatched() -> str:
    """Accounts of nobody with records that would count, and whom a rule points at."""
    source = words("source") or None
    return render_template(
        "training/unmatched.html",
        page=people.unmatched_page(ctx(), site().identity, source, words("after") or None),
        source=source,
        in_doubt=len(accounts.doubts(ctx()).items),
    )


@training.get("/unmatched/<int:account_id>")
@permits(Permission.TRAINING)
def account(account_id: int) -> Response:
    """One account: what the source says of it, who it could be, and the search for others."""
    return _account(account_id, LinkForm(formdata=None))


def _account(account_id: int, form: LinkForm, status: int = 200) -> Response:
    waiting = desk_service.waiting_account(ctx(), account_id, site().identity)
    candidates = desk_service.candidates_with_reasons(ctx(), waiting)
    asked = words("q")
    known = {person.id for person, _ in candidates}
    found = [p for p in _search(asked) if p.id not in known]
    reasons = [*candidates, *((person, "found by your search") for person in found)]
    form.person.choices = {
        str(person.id): f"{person.name} (person {person.id}): {why}" for person, why in reasons
    }
    text = render_template(
        "training/account.html", waiting=waiting, form=form, asked=asked, found=found
    )
    return make_response(text, status)


def _search(text: str) -> list[Person]:
    if not text:
        return []
    found = search_people(ctx(Permission.TRAINING), text, limit=20)
    return [entry.person for entry in found.items]


@training.post("/unmatched/<int:account_id>")
@permits(Permission.TRAINING_CHANGE)
def link(account_id: int) -> Response:
    """Join the account to a person, with the reason."""
    form = LinkForm()
    form.person.validate_choice = False
    if not form.validate_on_submit():
        return _account(account_id, form, 422)
    try:
        people.link(ctx(), account_id, form.person.data, form.reason.data or "")
    except (Refused, NotFound) as error:
        form.reason.errors = [str(error)]
        return _account(account_id, form, 422)
    flash("The account is joined. What waited for it has been looked at again.")
    return make_response(redirect(url_for("training.unmatched")))


@training.get("/quarantine")
@permits(Permission.TRAINING)
def quarantine() -> str:
    """What could not be read or placed, with the reason for each."""
    source = words("source") or None
    return render_template(
        "training/quarantine.html",
        sums=desk_service.set_aside(ctx()),
        page=desk_service.quarantine_page(ctx(), source, number("after") or 0),
        source=source,
        replayable=set(site().sources),
    )


@training.get("/quarantine/<int:received_id>")
@permits(Permission.TRAINING)
def quarantined(received_id: int) -> str:
    """One item, whole: its bytes as they came."""
    item = desk_service.quarantined_item(ctx(), received_id)
    return render_template("training/quarantined.html", item=item, body=_readable(item.body))


def _readable(body: bytes | None) -> str | None:
    return None if body is None else body.decode("utf-8", errors="replace")


@training.post("/quarantine/<source>/replay")
@permits(Permission.TRAINING_CHANGE)
def replay(source: str) -> Response:
    """Read everything of a source again, as after a repair or a new mapping."""
    trusted = site().sources.get(source) or site().received(source)
    if trusted is None:
        raise NotFound(f"There is no source '{source}' in this site's configuration.")
    released, left = ledger.replay(ctx(), trusted)
    flash(f"Read again: {released} could be read and placed, {left} are still in quarantine.")
    return make_response(redirect(url_for("training.quarantine")))
