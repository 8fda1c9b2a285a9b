"""The names of our commands, as used in advice, in locks, and in receipts."""

from __future__ import annotations

BACKUP = "admin_database_backup"
VERIFY = "admin_database_verify"
PROVE = "admin_database_prove"
DRILL = "admin_database_drill"
RESTORE = "admin_database_restore"
ROTATE = "admin_database_rotate"
COPY = "admin_database_copy"
STATUS = "admin_database_status"
SCHEDULE = "admin_database_schedule"
MANIFEST = "admin_database_manifest"
COPY = "admin_database_copy"
FLEET = "admin_database_fleet"
