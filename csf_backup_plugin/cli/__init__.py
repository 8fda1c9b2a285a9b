"""The commands that the plugin adds to csf, one module for each."""

from __future__ import annotations

from csf_backup_plugin.cli.later import LaterCommand

#: The modules, each with its command's line in csf's help. The command of `backup` is
#: `admin_database_backup`, and so on.
MODULES = {
    "backup": "Back up a whole master repository, and prove the image.",
    "verify": "Check that images are still as their backups left them.",
    "prove": "Prove an image whose csf was killed, and write its receipt.",
    "drill": "Restore an image to a scratch directory, to prove that it can be restored.",
    "restore": "Restore a whole master repository from a proven image.",
    "manifest": "Compare a repository's databases with its manifest; change the manifest.",
    "rotate": "Back up to the place of the day, and remove what that replaces.",
    "copy": "Copy a proven image to another host or disk.",
    "status": "Report how much work would be lost now, and what is wrong with the backups.",
    "schedule": "Print what cron or systemd is to run; install nothing.",
    "fleet": "Rotate, verify, drill or copy every repository of a fleet file.",
}

COMMANDS = tuple(LaterCommand(name, line) for name, line in MODULES.items())
