"""The commands csf gets: each parses, hands a request to its use case, and shows the outcome."""

from __future__ import annotations

from csf_backup_plugin.cli.backup import admin_database_backup
from csf_backup_plugin.cli.drill import admin_database_drill
from csf_backup_plugin.cli.manifest import admin_database_manifest
from csf_backup_plugin.cli.prove import admin_database_prove
from csf_backup_plugin.cli.restore import admin_database_restore
from csf_backup_plugin.cli.verify import admin_database_verify

COMMANDS = (
    admin_database_backup,
    admin_database_verify,
    admin_database_prove,
    admin_database_drill,
    admin_database_restore,
    admin_database_manifest,
)
