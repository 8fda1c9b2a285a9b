"""A process with csf imported, which forks one for each order; it runs with strike preloaded.

An order is a line of JSON on standard input, and an answer one on standard output. A forked csf is
struck at one of its calls, but not the programs that it starts. The answer comes when all of them
have ended.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import pkgutil
import signal
import sys
import time
import traceback
from typing import Any

import pluggy

PATIENCE = 60.0  # seconds after which a process of csf counts as never ending
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER


def main() -> None:
    """Answer orders until there are no more."""
    library = ctypes.CDLL(os.environ.pop("LD_PRELOAD"))
    for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
        del os.environ[name]
    library.prctl(_SUBREAPER, 1, 0, 0, 0)
    cli = _imported(library)
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            _run(cli, library, order)
        print(json.dumps(_ended(pid)), flush=True)


def _imported(library: Any) -> Any:
    """Return csf's commands, with every module of the plugin imported."""
    import click

    import csf_backup_plugin
    from csf_backup_plugin import plugin
    from csf_simulator.csf import builtin, hookspecs

    for module in pkgutil.walk_packages(csf_backup_plugin.__path__, "csf_backup_plugin."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("hashlib", "difflib", "select", "encodings.idna", "encodings.latin_1"):
        importlib.import_module(name)
    pm = pluggy.PluginManager(hookspecs.PROJECT)
    pm.add_hookspecs(hookspecs)
    pm.register(_Creator(library))
    pm.register(plugin)
    cli = click.Group("csf", context_settings={"obj": pm.hook})
    pm.hook.register_commands(cli=cli)
    cli.add_command(builtin.class_create_command)
    return cli


class _Creator:
    """csf's own part of class_create; its calls are not struck.

    Args:
        library: what strikes.
    """

    def __init__(self, library: Any) -> None:
        self._library = library

    @pluggy.HookimplMarker("csf")
    def class_create(self, master_database: str, class_name: str) -> str:
        """Create a class's database."""
        self._library.strike_pause(1)
        path = os.path.join(os.path.dirname(master_database), f"{class_name}.db")
        with open(path, "x") as file:
            file.write(class_name * 200)
        self._library.strike_pause(0)
        return path


def _run(cli: Any, library: Any, order: dict[str, Any]) -> None:
    """Run csf in this process."""
    os.setsid()
    for target, path in ((0, os.devnull), (1, order["out"]), (2, order["err"])):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, target)
        os.close(opened)
    os.chdir("/")
    os.environ.update(order["environment"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    listed = os.open(order["list"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC) if order["list"] else -1
    directory = os.fsencode(order["within"])
    library.strike_arm(directory, order["how"], order["what"], ctypes.c_long(order["at"]), listed)
    status = 1
    try:
        cli.main(order["argv"], prog_name="csf")
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # a normal exit would take longer than everything before


def _ended(pid: int) -> dict[str, Any]:
    """Return how csf ended, once all that it has started has ended; or what has not ended."""
    status, deadline = None, time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            found, one = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return {"status": status, "left": False}
        if found == pid:
            status = os.waitstatus_to_exitcode(one)
        elif not found:
            time.sleep(0.001)
    return {"status": status, "left": True}


if __name__ == "__main__":
    main()
