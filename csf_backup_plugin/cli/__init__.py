"""The commands csf gets: each parses, hands a request to its use case, and shows the outcome."""

from __future__ import annotations

from csf_backup_plugin.cli.backup import admin_database_backup
from csf_backup_plugin.cli.manifest import admin_database_manifest
from csf_backup_plugin.cli.restore import admin_database_restore

COMMANDS = (admin_database_backup, admin_database_manifest, admin_database_restore)
