"""The repository whose image a command uses."""

from __future__ import annotations

import pytest
from receipts import ID, MACHINE_ID, made

from csf_backup_plugin.errors import WrongRepository
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.wanted_repository import Wanted, check_image_of, wanted_at
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.repository.model import Repository
from doubles import MemoryHost

OWN = Identity(ID, MACHINE_ID, "db1", "/r/lib.db")


def test_an_image_is_of_the_repository_whose_id_it_has() -> None:
    """If an id is missing, the path decides."""
    image = ImagePath("db1", "/b/a")
    check_image_of(None, image, made("/b/a", 1))
    check_image_of(Wanted(Repository("/moved/lib.db"), OWN), image, made("/b/a", 1))
    check_image_of(Wanted(Repository("/r/lib.db"), None), image, made("/b/a", 1))
    check_image_of(Wanted(Repository("/r/lib.db"), OWN), image, made("/b/a", None, id=None))
    for wanted, receipt in (
        (Wanted(Repository("/r/lib.db"), OWN), made("/b/a", 1, id="2" * 32)),
        (Wanted(Repository("/q/lib.db"), None), made("/b/a", 1)),
        (Wanted(Repository("/q/lib.db"), OWN), made("/b/a", None, id=None)),
    ):
        with pytest.raises(WrongRepository, match="db1:/b/a is an image of /r/lib.db, "):
            check_image_of(wanted, image, receipt)


def test_what_is_wanted_is_known_by_the_manifest() -> None:
    """The manifest may be missing, since the repository may be lost."""
    host = MemoryHost(
        {"/r/lib.db.manifest": manifest.encode([], OWN, known=7) + b"damage\n"}, ["/link"]
    )
    host.facts["/link"] = {"resolved": "/r"}
    assert wanted_at(Repository("/link/lib.db"), host) == Wanted(Repository("/r/lib.db"), OWN, 7)
    assert wanted_at(Repository("/gone/lib.db"), host) == Wanted(Repository("/gone/lib.db"), None)
