"""The command line: `bridge ...`; each command opens the site, calls one use case, and shows it."""

from __future__ import annotations

import gc
import sys

import click

from bridge import __version__
from bridge.cli import (
    activities,
    badges,
    booking,
    booking_api,
    demo,
    evidence,
    files,
    looking,
    lrs,
    lti,
    mail,
    moodle,
    moodle_frameworks,
    moodle_plugin,
    moodle_setup,
    moodle_webhook,
    people,
    sites,
    work,
    xapi,
)
from bridge.cli.common import errors_console
from bridge.domain.errors import BridgeError
from bridge.domain.problems import BadFile


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="bridge")
def bridge() -> None:
    """Competency Bridge: learning records in, draft evidence, two people's word, badges out."""


for command in (
    demo.demo,
    sites.init,
    sites.doctor,
    work.pull,
    work.publish,
    work.reconcile,
    work.run,
    booking.booking,
    evidence.evidence,
    people.people,
    people.unmatched,
    activities.activities,
    activities.doubts,
    lti.lti,
    mail.mail,
    lrs.lrs,
    xapi.xapi,
    moodle.moodle,
    files.frameworks,
    files.mappings,
    badges.badges,
    files.schemas,
    looking.explain,
    looking.ledger,
    looking.status,
    looking.unmapped,
    looking.quarantine,
    looking.trail,
):
    bridge.add_command(command)
#: Each adds its commands to `bridge moodle` when it is imported.
_MOODLE = (moodle_frameworks, moodle_plugin, moodle_setup, moodle_webhook)
for command in booking_api.COMMANDS:
    booking.booking.add_command(command)


def main() -> None:
    """The entry point: errors that a person can act on are shown as such, without a traceback."""
    # What was imported stays; the garbage collector need not go through it again and again,
    # which would take a twelfth of the time of a pull.
    gc.freeze()
    try:
        bridge.main(standalone_mode=False)
    except click.exceptions.Abort:
        errors_console.print("Stopped.")
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BadFile as error:
        for problem in error.problems:
            errors_console.print(str(problem), markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except OSError as error:
        errors_console.print(f"It cannot be read or written: {error}", markup=False)
        sys.exit(1)
    except BridgeError as error:
        errors_console.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
