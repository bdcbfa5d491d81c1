"""What was taken out of the city, by whom: the cells that exports covered."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cim_core.store.office_file import OfficeFile

Cells = NDArray[np.uint64]


class Exported:
    """The H3 cells each account has taken out, counted across requests."""

    def __init__(self, file: OfficeFile) -> None:
        self._file = file

    def cells(self, account: str) -> Cells:
        """All cells an account has taken out, (n,), ascending as signed numbers."""
        rows = self._file.rows("SELECT cell FROM exported WHERE account = ?", account)
        return np.array([row[0] for row in rows], np.int64).view(np.uint64)

    def add(
        self,
        account: str,
        cells: Cells,
        export: str,
        allowed: Callable[[Cells], None] = lambda cells: None,
    ) -> None:
        """Count what an export covers, (n,), under its id.

        `allowed` gets all cells the account will have, (m,), inside the transaction, so that of two
        exports at once the second knows of the first; what it raises leaves everything as it was.
        """
        with self._file.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO exported VALUES (?, ?, ?, ?)",
                [
                    (account, cell, export, self._file.now())
                    for cell in np.unique(cells).view(np.int64).tolist()
                ],
            )
            allowed(self.cells(account))
