"""The office of a city: who may do what in it, and what was done."""

import time
from pathlib import Path

from cim_core.store.office_audit import Audit
from cim_core.store.office_capabilities import Capabilities
from cim_core.store.office_exported import Exported
from cim_core.store.office_file import Clock, OfficeFile
from cim_core.store.office_keys import Keys
from cim_core.store.office_people import People
from cim_core.store.office_policies import Policies
from cim_core.store.office_sessions import Sessions
from cim_core.store.office_uploads import Uploads


class Office:
    """The one door to `office.db`, which its owner alone may read; several processes may use it.

    A city without that file has nobody and no policy. It is begun by the first thing that must be
    written, and making an `Office` touches nothing.
    """

    def __init__(self, folder: Path, clock: Clock = time.time) -> None:
        self._file = OfficeFile(folder, clock)
        self.path = self._file.path
        self.clock = clock
        self.people = People(self._file)
        self.sessions = Sessions(self._file)
        self.keys = Keys(self._file)
        self.capabilities = Capabilities(self._file)
        self.audit = Audit(self._file)
        self.policies = Policies(self._file)
        self.exported = Exported(self._file)
        self.uploads = Uploads(self._file)

    @property
    def exists(self) -> bool:
        """Whether anything was ever written."""
        return self._file.exists

    def close(self) -> None:
        """Close this thread's connection, if it has one."""
        self._file.close()
