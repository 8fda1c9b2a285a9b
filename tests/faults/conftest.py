"""After every fault, a status never reports that all is well when it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from newest_image import why_not_well

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites import Site


@pytest.fixture(autouse=True)
def told_truly(request: pytest.FixtureRequest) -> Iterator[None]:
    """Check the status of a test's site after the test, whatever has happened there."""
    if not {"site", "local_site"} & {*request.fixturenames}:
        yield
        return
    name = "site" if "site" in request.fixturenames else "local_site"
    site: Site = request.getfixturevalue(name)
    yield
    before = site.listing()
    told = site.sim.csf(
        *("admin_database_status", "-image-dir", f"{site.host}:{site.images}"),
        *("-database", f"{site.host}:{site.master}", "-max-drill-age", "none"),
    )
    assert site.listing() == before
    why = why_not_well(site.images)
    assert told.exit_code in ((50, 70) if why else (0,)), (why, told.stdout, told.stderr)
