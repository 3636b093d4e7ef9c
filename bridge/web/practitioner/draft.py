"""One piece of evidence: reflect, tick, save, submit; and what can be done afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from flask import (
    Response,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from bridge.domain.claims import ClaimState
from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.mapping import CompetencyRef
from bridge.domain.permissions import Permission
from bridge.domain.prompts import MODELS
from bridge.services import drafts, evidence, files, handing_over, people
from bridge.services.drafts import TypedElsewhere, Words
from bridge.services.practitioner import Draft, draft
from bridge.web.access import ctx, permits, site, visitor
from bridge.web.asked import row_number
from bridge.web.practitioner.blueprint import practitioner, ref_of, refs_of, to_item
from bridge.web.practitioner.warning import Warned, look
from bridge.web.words import clock_time

Errors = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Filled:
    """What the form shows: as sent just now, or as it was saved last."""

    reflection: str
    used: str
    ticks: frozenset[CompetencyRef]
    verifier: int | None
    seen: datetime | None
    saved_at: datetime | None

    @property
    def words(self) -> Words:
        """As the services take it."""
        return Words(
            self.reflection, self.used, tuple(sorted(self.ticks)), self.verifier, self.seen
        )


def _as_saved(of: Draft) -> Filled:
    typed = of.typed
    if typed is not None:
        return Filled(typed.reflection, typed.used, frozenset(typed.ticks), typed.verifier,
                      typed.saved_at, typed.saved_at)  # fmt: skip
    # What was written before comes back to be improved; ticks never do (R3).
    written = of.written
    return Filled(
        written.get("reflection", ""), written.get("used", ""), frozenset(), None, None, None
    )


def _as_sent() -> Filled:
    form = request.form
    try:
        seen = datetime.fromisoformat(form["seen"]) if form.get("seen") else None
    except ValueError:
        seen = None
    if seen is not None and seen.tzinfo is None:
        seen = None
    return Filled(
        form.get("reflection", "").replace("\r\n", "\n"),
        form.get("used", "").replace("\r\n", "\n"),
        frozenset(refs_of(form.getlist("tick"))),
        form.get("verifier", type=row_number),
        seen,
        None,
    )


@practitioner.get("/evidence/<int:evidence_id>")
@permits(Permission.OWN_EVIDENCE)
def item(evidence_id: int) -> Response:
    """One piece of one's own evidence."""
    shown = draft(ctx(), evidence_id)
    return _page(shown, _as_saved(shown))


def _page(
    shown: Draft,
    filled: Filled,
    errors: Errors | None = None,
    *,
    elsewhere: TypedElsewhere | None = None,
    warned: Warned | None = None,
    status: int = 200,
) -> Response:
    ticked = [ref for ref in sorted(filled.ticks) if ref in shown.competencies]
    claimed = {put.ref for put in shown.item.claims}
    text = render_template(
        "practitioner/item.html",
        draft=shown,
        filled=filled,
        errors=errors or [],
        elsewhere=elsewhere,
        warned=warned,
        models=MODELS,
        State=ClaimState,
        uploads=site().settings.upload_bytes,
        files=files.files_of(ctx(), shown.evidence.id) if _may_hold_files(shown) else [],
        own_ticks=[ref for ref in ticked if ref not in claimed],
    )
    return make_response(text, status)


def _may_hold_files(shown: Draft) -> bool:
    """Files stand beside one's own evidence, where they are taken or once were."""
    return shown.evidence.origin == "own"


@practitioner.post("/evidence/<int:evidence_id>/autosave")
@permits(Permission.OWN_EVIDENCE)
def autosave(evidence_id: int) -> Response:
    """Keep what is typed so far; asked for by the page's script."""
    try:
        kept = drafts.save(ctx(), evidence_id, _as_sent().words)
    except TypedElsewhere as error:
        return make_response(jsonify({"words": str(error)}), 409)
    except Refused as error:
        return make_response(jsonify({"words": str(error)}), 422)
    return jsonify({"seen": kept.saved_at.isoformat(), "at": clock_time(kept.saved_at)})


@practitioner.post("/evidence/<int:evidence_id>")
@permits(Permission.OWN_EVIDENCE)
def act(evidence_id: int) -> Response:
    """Any button of the form: what was typed is kept first, whatever comes of the rest."""
    filled = _as_sent()
    do, _, what = request.form.get("do", "save").partition(":")
    try:
        kept = drafts.save(ctx(), evidence_id, filled.words)
    except TypedElsewhere as error:
        return _conflict(evidence_id, filled, error)
    except Refused as error:
        return _page(draft(ctx(), evidence_id), filled, [("", str(error))], status=422)
    filled = replace(filled, seen=kept.saved_at, saved_at=kept.saved_at)
    if do == "submit":
        return _submit(evidence_id, filled)
    try:
        anchor = _BUTTONS.get(do, _saved)(evidence_id, what)
    except (Refused, NotAllowed) as error:
        return _page(draft(ctx(), evidence_id), filled, [("", str(error))], status=422)
    return to_item(evidence_id, anchor)


def _conflict(evidence_id: int, filled: Filled, error: TypedElsewhere) -> Response:
    # Saving once more keeps what is in this window: they have seen both now.
    filled = replace(filled, seen=error.other.saved_at)
    return _page(draft(ctx(), evidence_id), filled, elsewhere=error, status=409)


def _saved(evidence_id: int, what: str) -> str | None:
    flash("Saved. Only you can see it until you submit it.")
    return None


def _dismiss(evidence_id: int, what: str) -> str | None:
    ref = ref_of(what)
    if ref is not None:
        evidence.dismiss(ctx(), evidence_id, [ref])
        flash(f"{ref.code} is set aside. You can bring it back below.")
    return "competencies"


def _reopen(evidence_id: int, what: str) -> str | None:
    ref = ref_of(what)
    if ref is not None:
        evidence.reopen(ctx(), evidence_id, [ref])
        flash(f"{ref.code} is back.")
    return "competencies"


def _model(evidence_id: int, what: str) -> str | None:
    drafts.prefer_model(ctx(), what)
    return "prompts"


def _attach(evidence_id: int, what: str) -> str | None:
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise Refused("Choose a file first.")
    largest = site().settings.upload_bytes
    body = upload.stream.read(largest + 1)
    files.attach(ctx(), evidence_id, files.Upload(upload.filename, body), largest=largest)
    flash("The file is kept with your evidence.")
    return "files"


def _remove(evidence_id: int, what: str) -> str | None:
    files.remove(ctx(), evidence_id, int(what) if what.isdecimal() else 0)
    flash("The file has been removed.")
    return "files"


_BUTTONS: dict[str, Callable[[int, str], str | None]] = {
    "save": _saved, "dismiss": _dismiss, "reopen": _reopen, "model": _model,
    "attach": _attach, "remove": _remove,
}  # fmt: skip


def _submit(evidence_id: int, filled: Filled) -> Response:
    own = ctx()
    shown = draft(own, evidence_id)
    errors = _missing(shown, filled)
    if errors:
        return _page(shown, filled, errors, status=422)
    warned = look(filled.reflection, filled.used)
    if warned is not None and warned.mark != request.form.get("looked"):
        return _page(shown, filled, warned=warned, status=422)
    try:
        evidence.submit(own, evidence_id, sorted(filled.ticks), filled.reflection,
                        filled.verifier or 0, used=filled.used)  # fmt: skip
    except (Refused, NotAllowed, NotFound) as error:
        return _page(shown, filled, [("", str(error))], status=422)
    name = next((v.name for v in shown.verifiers if v.person == filled.verifier), "your verifier")
    flash(f"Submitted to {name}. You will hear when it has been looked at.")
    return to_item(evidence_id)


def _missing(shown: Draft, filled: Filled) -> Errors:
    """What the form still lacks, all of it at once, each with the field it belongs to."""
    errors: Errors = []
    if not filled.ticks:
        errors.append(("competencies", "Tick at least one competency that this evidences."))
    if not filled.reflection.strip():
        errors.append(
            ("reflection", "Write what you learned and what it changed, in your own words.")
        )
    if shown.asks_use and not filled.used.strip():
        errors.append(("used", "This was e-learning: say how you have used it in your role."))
    if filled.verifier is None:
        errors.append(("verifier", "Choose who is to verify it."))
    return errors


@practitioner.get("/evidence/<int:evidence_id>/files/<int:file_id>")
@permits(Permission.OPEN_FILE)
def file(evidence_id: int, file_id: int) -> Response:
    """A file, to be saved and never shown in place: it came from somebody's computer."""
    if visitor().only_evidence not in (None, evidence_id):
        raise NotFound("There is no such file.")
    if visitor().launched:
        draft(ctx(), evidence_id)  # their own, or it is not there
    facts, body = files.read(ctx(), evidence_id, file_id)
    answer = make_response(body)
    answer.headers["Content-Type"] = facts.media_type
    answer.headers.set("Content-Disposition", "attachment", filename=facts.name)
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


@practitioner.post("/evidence/<int:evidence_id>/recall")
@permits(Permission.OWN_EVIDENCE)
def recall(evidence_id: int) -> Response:
    """Take back what nobody has decided on yet."""
    try:
        evidence.recall(ctx(), evidence_id)
    except Refused as error:
        return _refused(evidence_id, error)
    flash("You have taken it back. What you wrote is still here; tick again what it evidences.")
    return to_item(evidence_id)


@practitioner.post("/evidence/<int:evidence_id>/reassign")
@permits(Permission.OWN_EVIDENCE)
def reassign(evidence_id: int) -> Response:
    """Ask somebody else to verify it; the reflection goes with it."""
    draft(ctx(), evidence_id)  # their own; a manager hands over from their own pages
    verifier = request.form.get("verifier", type=row_number)
    try:
        if verifier is None:
            raise Refused("Choose who is to verify it instead.")
        handing_over.reassign(ctx(), evidence_id, verifier)
    except (Refused, NotAllowed, NotFound) as error:
        return _refused(evidence_id, error)
    flash("Handed over. The new verifier sees the same reflection.")
    return to_item(evidence_id)


@practitioner.post("/evidence/<int:evidence_id>/split")
@permits(Permission.OWN_EVIDENCE)
def split(evidence_id: int) -> Response:
    """Two records that were joined are two pieces of learning: give one its own draft."""
    record = request.form.get("record", type=row_number)
    try:
        made = people.split(ctx(), evidence_id, record or 0)
    except (Refused, NotAllowed) as error:
        return _refused(evidence_id, error)
    flash("That record now has a draft of its own: this one.")
    return make_response(redirect(url_for("practitioner.item", evidence_id=made), 303))


def _refused(evidence_id: int, error: Exception) -> Response:
    shown = draft(ctx(), evidence_id)
    return _page(shown, _as_saved(shown), [("", str(error))], status=422)
