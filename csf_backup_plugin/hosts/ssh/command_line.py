"""The ssh command: what is run here, and what it runs on the host."""

from __future__ import annotations

import shlex
import shutil

from csf_backup_plugin.errors import HostUnreachable, UsageError
from csf_backup_plugin.names import shown

VARIABLE = "CSF_BACKUP_SSH"
_PATIENCE = (
    *("-o", "BatchMode=yes"),  # nobody is there to answer a question
    *("-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=3"),
)
# A user's configuration may have any of these for interactive use. Older versions of ssh do not
# know all of them, and a list here would hide the one that the configuration may have itself.
_ONE_SHELL = (
    "-T",
    *("-o", "IgnoreUnknown=*"),
    *("-o", "SessionType=default"),
    *("-o", "StdinNull=no"),
    *("-o", "ForkAfterAuthentication=no"),
    *("-o", "RemoteCommand=none"),
    *("-o", "RequestTTY=no"),
    *("-o", "ControlMaster=no"),
    *("-o", "ControlPath=none"),
    *("-o", "ClearAllForwardings=yes"),
    *("-o", "PermitLocalCommand=no"),
)


class CommandLine:
    """The ssh command of a host.

    Args:
        host: a name ssh knows.
        ssh: the ssh command, as `CSF_BACKUP_SSH` has it.

    Attributes:
        by_hand: what a user may try.

    Raises:
        UsageError: `ssh` is no command line.
        HostUnreachable: there is no such program.
    """

    def __init__(self, host: str, ssh: str) -> None:
        self._host = host
        self._words = [*_words(ssh), *_PATIENCE]
        self.by_hand = shlex.join([*self._words, "--", host, "true"])

    def argv(self, ready: str, size: int) -> list[str]:
        """Return the command whose remote end is a shell.

        Any login shell can run that: it is a few plain words. It reads nothing before it has said
        that it is ready, since a login shell's start-up files may read what is not meant for them.

        Args:
            ready: a word that it prints when it is ready, on a line of its own.
            size: the bytes it then reads, and runs.
        """
        script = f'echo; echo {ready}; eval "$(head -c {size})"'
        return [*self._words, *_ONE_SHELL, "--", self._host, f"exec sh -c '{script}'"]


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
