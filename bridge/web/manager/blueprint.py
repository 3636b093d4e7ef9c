"""The manager's part of the web: its blueprint, and what its pages share."""

from __future__ import annotations

from flask import Blueprint

manager = Blueprint("manager", __name__)
