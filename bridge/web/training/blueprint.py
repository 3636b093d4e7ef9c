"""The training team's part of the site, to which its modules add their pages."""

from __future__ import annotations

from flask import Blueprint

training = Blueprint("training", __name__, url_prefix="/training")
