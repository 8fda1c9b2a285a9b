"""One run of a command: what every command needs before its work, around it and after it."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

from csf_backup_plugin import interrupts, surroundings
from csf_backup_plugin.cli.failure import Failure
from csf_backup_plugin.cli.outcome import print_error, show
from csf_backup_plugin.cli.progress import Progress
from csf_backup_plugin.cli.streams import give_up
from csf_backup_plugin.errors import (
    UNKNOWN_LEFT,
    BackupError,
    Interrupted,
    Unexpected,
    from_os_error,
)
from csf_backup_plugin.hosts import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.hosts.protocol import Host


class Run:
    """One run of a command.

    Args:
        name: the command's.
        as_json: print one document, whatever the outcome.
    """

    def __init__(self, name: str | None, *, as_json: bool) -> None:
        self.as_json = as_json
        self.progress = Progress()
        self._name = name

    def carry_out(self, work: Callable[[Run], Outcome]) -> int:
        """Do the work, and show how it has ended; return the exit code.

        Once the work has ended, no signal changes how.

        Raises:
            Failure: it failed, in whatever way.
        """
        try:
            with surroundings.put_right(), interrupts.noted(f"csf {self._name}"):
                outcome = work(self)
                show(self._name, outcome, as_json=self.as_json)
        except BackupError as error:
            raise self._failed(error) from None
        except KeyboardInterrupt:  # outside the main thread's care
            raise self._failed(Interrupted(signal.SIGINT, f"csf {self._name}")) from None
        except OSError as error:
            raise self._failed(_os_error(error)) from None
        except Exception as error:
            raise self._failed(Unexpected(error)) from error
        finally:
            give_up()
        return outcome.code

    @contextlib.contextmanager
    def on(self, host: str, doing: str) -> Iterator[Host]:
        """Work with a host while the block runs.

        Args:
            host: as the user calls it.
            doing: what the block does, to be told if it is stopped.
        """
        interrupts.describe(doing)
        with self.progress, connect(host) as at:
            yield at

    def _failed(self, error: BackupError) -> Failure:
        if self.as_json:
            print_error(self._name, error)
        return Failure(error)


def _os_error(error: OSError) -> BackupError:
    """Return what this machine refused outside of all work on a host, as an error of ours."""
    found = from_os_error(error, "localhost")
    found.left = UNKNOWN_LEFT
    return found
