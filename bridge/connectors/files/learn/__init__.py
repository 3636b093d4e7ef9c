"""Proposes a column profile from a file's own headings and contents, and asks what it must."""

from bridge.connectors.files.learn.sheets import learn

__all__ = ["learn"]
