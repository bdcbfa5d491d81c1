"""The one family of errors this project raises on purpose.

Nothing here knows HTTP: `server.problems` has the one table that turns these into status codes.
The message is one sentence for the person who sees it, naming the file, the place and the remedy.
"""


class CimError(Exception):
    """Any failure that was foreseen and can be explained in one sentence."""

    @property
    def sentence(self) -> str:
        """The message as it is shown to a person."""
        return str(self.args[0]) if self.args else type(self).__name__


class NotFound(CimError):
    """What was asked for is not in the city."""


class NoSuchAnalysis(NotFound):
    """An analysis that nobody has registered."""


class NoSuchJob(NotFound):
    """A job that this city never had."""


class NotReady(NotFound):
    """The result of a job that has not ended, or not well."""


class InvalidInput(CimError):
    """A file, a value or a parameter is wrong and must be corrected by whoever gave it."""


class UnsupportedFormat(CimError):
    """A file of a format, or a version of it, that no importer reads."""


class TooLarge(CimError):
    """An upload, or an answer, exceeds the limit of this server."""


class Conflict(CimError):
    """The city changed meanwhile, or the thing exists already."""


class OutOfDate(CimError):
    """Somebody else changed the thing since it was looked at."""


class Forbidden(CimError):
    """The city's rules, or the operating system, do not allow it."""


class SignInNeeded(CimError):
    """Strangers may not do this; somebody who signs in perhaps may."""


class CodeNeeded(SignInNeeded):
    """The password was right; a code of the second factor is needed as well, or another one."""


class TooMany(CimError):
    """Something was asked too often; `seconds` later it may be asked again."""

    def __init__(self, sentence: str, seconds: float) -> None:
        super().__init__(sentence)
        self.seconds = seconds


class MissingDependency(CimError):
    """A part that has to be installed, or started, separately is not there."""


class StorageFailed(CimError):
    """The disk is full, or the system does not let this program read or write there."""


class Cancelled(CimError):
    """The work was stopped on request; nothing of it is visible."""
