"""What several modules of tests of the server ask."""

from collections.abc import Iterator

import pytest

from tests.support.renewal_office import RenewalOffice


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RenewalOffice]:
    """A served city with a campaign of renewal; each test changes things of its own in it."""
    served = RenewalOffice(tmp_path_factory.mktemp("renewal-office"))
    yield served
    served.stop()
