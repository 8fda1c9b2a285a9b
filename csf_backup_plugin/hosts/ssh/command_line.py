"""The ssh command, and the command that it runs on the host."""

from __future__ import annotations

import re
import shlex
import shutil

from csf_backup_plugin.errors import HostUnreachable, UsageError
from csf_backup_plugin.names import shown

VARIABLE = "CSF_BACKUP_SSH"
#: The ssh command if that variable is not set.
SSH = "ssh"
#: What the remote shell prints when it is ready, on a line of its own.
READY = b"\ncsf ready\n"
#: What it prints on standard error if it cannot decode what is sent.
LACKS_BASE64 = b"csf lacks base64"

_PATIENCE = (
    *("-o", "BatchMode=yes"),  # no user is there to answer a question
    *("-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=3"),
)
# A user's configuration may have any of these for interactive use. OpenSSH before 8.7 does not know
# the last three, and reports that.
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
# Any login shell can run that: it is a few plain words. The script reads nothing before it has
# printed that it is ready, since the start-up files of a login shell may read standard input. Then
# it reads one line, and no shell reads more than that. It skips empty lines, which are for start-up
# files that wait for a line.
# A signal that the login ignores would stay ignored, and then a listener could not be ended. dash
# reports a failed fork on the standard error of the command: that must not be /dev/null.
# A shell's errors begin with its $0: that is "sh", and not the script.
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
        host: a name that ssh knows.
        ssh: the ssh command, as `CSF_BACKUP_SSH` has it.

    Attributes:
        by_hand: the command with which a user can see what fails.

    Raises:
        UsageError: `ssh` is not a command line.
        HostUnreachable: there is no such program.
    """

    def __init__(self, host: str, ssh: str) -> None:
        self._host = host
        self._words = [*_words(ssh), *_PATIENCE, *_ONE_SHELL]
        self._newer: tuple[str, ...] = _SINCE_8_7
        self.by_hand = shlex.join([*self._words, "--", host, "echo ready"])

    def suits_older(self, said: bytes) -> bool:
        """Omit the newer options if ssh has reported that it lacks them; return whether it has."""
        is_older = bool(self._newer and _UNKNOWN.search(said))
        if is_older:
            self._newer = ()
        return is_older

    def argv(self, run: str) -> list[str]:
        """Return the command that starts a shell on the host.

        Args:
            run: the value of `csf_run` in the environment of the shell and its own processes.
        """
        script = f"exec env csf_run={run} sh -c 'eval \"$1\"' sh '{_SCRIPT}'"
        return [*self._words, *self._newer, "--", self._host, script]


def _words(ssh: str) -> list[str]:
    """Return the words of the ssh command, split as by a shell."""
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
    """Return the command that prints the ssh configuration for a host, without contact to it.

    It takes the arguments of `CommandLine`, and raises what `CommandLine` raises.
    """
    return [*_words(ssh), "-G", "--", host]
