"""A stand-in identity provider (OpenID Connect), for the demo and the tests."""

from bridge.demo.idp.server import Fault, StandInProvider, WorkUser

__all__ = ["Fault", "StandInProvider", "WorkUser"]
