"""Who may send statements to /xapi: a list, a new credential, the end of one."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, SelectMultipleField, StringField
from wtforms.validators import DataRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from bridge.domain.errors import Refused
from bridge.domain.lrs.senders import Scope, Sender, Trust
from bridge.domain.permissions import Permission
from bridge.services.lrs import senders as service
from bridge.web.access import ctx, permits, site
from bridge.web.lms.blueprint import lms

#: What each scope lets somebody do, as the page says it.
SCOPES = {
    Scope.WRITE.value: "Send statements",
    Scope.READ_MINE.value: "Read the statements of this source",
    Scope.READ_ALL.value: "Read the statements of every source",
    Scope.DOCUMENTS.value: "Keep and read states and profiles (where e-learning leaves off)",
}


class SenderForm(FlaskForm):
    """A new credential."""

    source = StringField(
        "Source",
        [DataRequired("Enter a name for what is sent, as moodle-xapi."), Length(max=80)],
        description="A short name of your choice for what sends, as moodle-xapi: small letters, "
        "digits and hyphens. Mappings and the ledger call it so; several credentials may share it.",
    )
    title = StringField(
        "What is it for?",
        [DataRequired("Say what uses it, as Moodle, logstore_xapi."), Length(max=120)],
        description="As “Moodle, logstore_xapi”: so that you know later which one to end.",
    )
    scopes = SelectMultipleField(
        "What may it do?",
        choices=SCOPES,
        default=[Scope.WRITE.value],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    untrusted = BooleanField(
        "A browser will hold it, so it is not to be trusted",
        description="Content that runs in a browser holds its credential there, where a learner "
        "can read it and send anything. What comes so is a draft only where a rule says "
        "untrusted: true.",
    )
    origins = StringField(
        "Addresses of pages that may use it from a browser",
        [Length(max=400)],
        description="Only for content in a browser, as https://content.example.org; several with "
        "a space between. Leave it empty for Moodle and other servers.",
    )


@lms.get("/statements")
@permits(Permission.BADGES)
def senders() -> Response:
    """Who may send, and how to let another."""
    return _page()


def _page(
    status: int = 200,
    *,
    form: SenderForm | None = None,
    made: Sender | None = None,
    secret: str = "",
) -> Response:
    found = service.senders(ctx(Permission.BADGES))
    text = render_template(
        "lms/senders.html",
        senders=[each for each in found if each.revoked_at is None],
        ended=[each for each in found if each.revoked_at is not None],
        form=form or SenderForm(formdata=None),
        made=made,
        secret=secret,
        endpoint=f"{site().settings.base_url.rstrip('/')}/xapi",
        scopes=SCOPES,
        keeping=site().keeping,
    )
    return make_response(text, status)


@lms.post("/statements")
@permits(Permission.BADGES)
def add_sender() -> Response:
    """A new credential; its password is shown on this answer alone."""
    form = SenderForm()
    if not form.validate_on_submit():
        return _page(422, form=form)
    try:
        made, secret = service.issue(
            ctx(),
            (form.source.data or "").strip(),
            form.title.data or "",
            scopes=[Scope(each) for each in form.scopes.data or ()],
            trust=Trust.UNTRUSTED if form.untrusted.data else Trust.TRUSTED,
            origins=(form.origins.data or "").split(),
            taken=site().sources,
        )
    except Refused as error:
        where: Field = form.origins if "web origin" in str(error) else form.source
        where = where if form.scopes.data else form.scopes
        where.errors = [str(error)]
        return _page(422, form=form)
    return _page(made=made, secret=secret)


@lms.post("/statements/<int:sender_id>/end")
@permits(Permission.BADGES)
def end_sender(sender_id: int) -> Response:
    """It may send no more."""
    service.revoke(ctx(), sender_id)
    flash("That credential has ended.")
    return make_response(redirect(url_for("lms.senders")))
