"""The user's program that is called when an attempt has ended; it needs no Python."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import Interrupted
from csf_backup_plugin.hosts.local.feeding import feed
from csf_backup_plugin.log import log
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import reason
from csf_backup_plugin.texts import fit_for_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.hookspecs import Outcome

VARIABLE = "CSF_BACKUP_ON_FINISH"
SCHEMA = "csf-backup/finished/1"
#: Seconds that the program may take.
LIMIT = 60.0
_SENTENCES = ("error",)


def call_program(
    outcome: Outcome,
    environ: Mapping[str, str],
    cancellation: Cancellation,
    warn: Callable[[str], None],
) -> None:
    """Run the program that the environment names, if any, to its end.

    Args:
        outcome: how the attempt has ended.
        environ: the environment. The program gets it, with the outcome added, and without the
            variable that names the program, so that a csf that it runs does not call it again.
        cancellation: the command's; a signal ends the program.
        warn: called with a sentence if it fails.
    """
    path = environ.get(VARIABLE, "")
    if not path:
        return
    if not path.startswith("/"):
        warn(f"{VARIABLE} is not an absolute path, and no program was called: {shown(path)}")
        return
    if problem := _ended(path, outcome, environ, cancellation):
        warn(f"the program that {VARIABLE} names {problem}: {shown(path)}")


def document(outcome: Outcome) -> bytes:
    """Return an outcome as a line of JSON; names in it are as `texts` writes them."""
    facts = {"schema": SCHEMA, **outcome._asdict(), "image_dirs": [*outcome.image_dirs]}
    return json.dumps(fit_for_json(facts, _SENTENCES)).encode() + b"\n"


def _variables(outcome: Outcome) -> dict[str, str]:
    return {
        "CSF_BACKUP_EXIT_CODE": "" if outcome.exit_code is None else str(outcome.exit_code),
        "CSF_BACKUP_OUTCOME": outcome.outcome,
        "CSF_BACKUP_RUN_ID": outcome.run_id or "",
    }


def _ended(
    path: str, outcome: Outcome, environ: Mapping[str, str], cancellation: Cancellation
) -> str:
    """Run the program; return how it has failed, or an empty string."""
    variables = {name: value for name, value in environ.items() if name != VARIABLE}
    variables |= _variables(outcome)
    later = cancellation.later(at_once=True)
    try:
        status = feed([path], document(outcome), variables, LIMIT, later)
    except TimeoutError:
        return f"had not ended after {LIMIT:g} s and was stopped"
    except Interrupted as error:
        return f"was stopped by signal {error.exit_code - 128}"
    except Exception as error:
        return f"cannot be run ({reason(error)})"
    log.info("ended with status %d: %s", status, path)
    return f"failed with exit status {status}" if status else ""
