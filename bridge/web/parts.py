"""The parts of the web application, each in its folder: pages by role, signing in, and the API."""

from __future__ import annotations

from flask import Blueprint

from bridge.web.account.mail import account_mail
from bridge.web.account.pages import account
from bridge.web.account.unsubscribe import unsubscribe
from bridge.web.api.pages import api
from bridge.web.auth.joining import joining
from bridge.web.auth.lti import lti
from bridge.web.auth.oidc import oidc
from bridge.web.auth.pages import auth
from bridge.web.health import health
from bridge.web.lms.pages import lms
from bridge.web.manager.pages import manager
from bridge.web.partnership.pages import partnership
from bridge.web.practitioner.pages import practitioner
from bridge.web.public import public
from bridge.web.training.pages import training

BLUEPRINTS: tuple[Blueprint, ...] = (
    public,
    health,
    auth,
    lti,
    oidc,
    api,
    joining,
    account,
    account_mail,
    unsubscribe,
    manager,
    training,
    lms,
    partnership,
    practitioner,
)
#: Parts whose POSTs come from other sites or from programs and are guarded by other means.
CSRF_EXEMPT = frozenset({"unsubscribe", "lti", "api"})
