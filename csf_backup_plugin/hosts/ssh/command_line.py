"""The ssh command: what is run here, and what it runs on the host."""

from __future__ import annotations

import re
import shlex
import shutil

from csf_backup_plugin.errors import HostUnreachable, UsageError
from csf_backup_plugin.names import shown

VARIABLE = "CSF_BACKUP_SSH"
#: The ssh command where that is not set.
SSH = "ssh"
#: What the remote shell prints when it is ready, on a line of its own.
READY = b"\ncsf ready\n"
#: What it says on standard error if nothing can be sent there.
LACKS_BASE64 = b"csf lacks base64"

_PATIENCE = (
    *("-o", "BatchMode=yes"),  # nobody is there to answer a question
    *("-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=3"),
)
# A user's configuration may have any of these for interactive use. OpenSSH before 8.7 does not know
# the last three, and says so.
_ONE_SHELL = (
    "-T",
    *("-o", "RemoteCommand=none"),
    *("-o", "RequestTTY=no"),
    *("-o", "ControlMaster=no"),
    *("-o", "ControlPath=none"),
    *("-o", "ClearAllForwardings=yes"),
    *("-o", "PermitLocalCommand=no"),
)
_SINCE_8_7 = (
    *("-o", "SessionType=default"),
    *("-o", "StdinNull=no"),
    *("-o", "ForkAfterAuthentication=no"),
)
_UNKNOWN = re.compile(
    rb"Bad configuration option: (sessiontype|stdinnull|forkafter)", re.IGNORECASE
)
# Any login shell can run that: it is a few plain words. It reads nothing before it has said that it
# is ready, since a login shell's start-up files may read what is not meant for them; and then a
# line, beyond which no shell reads. Empty ones are for start-up files that wait for a line.
# A signal that the login ignores would stay ignored: then what listens could not be ended. dash
# says that it cannot fork to where the command's standard error goes: that must not be /dev/null.
# A shell's errors begin with its $0: that is sh, and not the script.
_SCRIPT = (
    '[ -n "$csf_reset" ] || ! (exec env --default-signal true 2>/dev/null) || '
    'exec env --default-signal csf_reset=1 sh -c "$1" sh "$1"; unset csf_reset; '
    f"echo; echo {READY.decode().strip()}; line=; "
    'while [ -z "$line" ]; do IFS= read -r line || exit; done; '
    f'line=$(printf %s "$line" | base64 -d) || echo {LACKS_BASE64.decode()} >&2; eval "$line"'
)


class CommandLine:
    """The ssh command of a host.

    Args:
        host: a name ssh knows.
        ssh: the ssh command, as `CSF_BACKUP_SSH` has it.

    Attributes:
        by_hand: what a user may try, to see what goes wrong.

    Raises:
        UsageError: `ssh` is no command line.
        HostUnreachable: there is no such program.
    """

    def __init__(self, host: str, ssh: str) -> None:
        self._host = host
        self._words = [*_words(ssh), *_PATIENCE, *_ONE_SHELL]
        self._newer: tuple[str, ...] = _SINCE_8_7
        self.by_hand = shlex.join([*self._words, "--", host, "echo ready"])

    def suits_older(self, said: bytes) -> bool:
        """Do without what ssh does not know, if it has said so; tell whether that is something."""
        is_older = bool(self._newer and _UNKNOWN.search(said))
        if is_older:
            self._newer = ()
        return is_older

    def argv(self, run: str) -> list[str]:
        """Return the command whose remote end is a shell.

        Args:
            run: what all that the shell does itself has as `csf_run` in its environment.
        """
        script = f"exec env csf_run={run} sh -c 'eval \"$1\"' sh '{_SCRIPT}'"
        return [*self._words, *self._newer, "--", self._host, script]


def _words(ssh: str) -> list[str]:
    """Return the words of the ssh command, which a shell would read likewise."""
    try:
        words = shlex.split(ssh)
        program = words[0]
    except (ValueError, IndexError) as error:
        raise UsageError(
            f"{VARIABLE}={shown(ssh)} cannot be read: {error}.",
            "Quote it as for a shell, or unset it.",
        ) from None
    if shutil.which(program) is None:
        raise HostUnreachable(
            f"{shown(program)} cannot be run: there is no such program.",
            f"Install the OpenSSH client, or name it in {VARIABLE}.",
        )
    return words


def configuration(host: str, ssh: str) -> list[str]:
    """Return the command that prints what ssh knows of a host, and asks nothing of it.

    It takes the arguments of `CommandLine`, and raises what `CommandLine` raises.
    """
    return [*_words(ssh), "-G", "--", host]
