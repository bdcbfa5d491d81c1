"""The report of a check-up as a file."""

from collections.abc import Mapping
from threading import BoundedSemaphore

from cim_core.city import City
from cim_core.errors import TooMany
from cim_core.store.checkup import Run
from server.checkup.figures import Form, Language
from server.checkup.report import make_report
from server.checkup.report_book import write_book
from server.checkup.report_letter import write_letter
from server.checkup.turns import turn
from server.renewal.report_pdf import as_pdf

_reports = BoundedSemaphore(2)
"""Each takes a thread of the server and a processor for some seconds."""

MEDIA_TYPES: Mapping[Form, str] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


def written(city: City, run: Run, form: Form, language: Language) -> bytes:
    """The report of what is seen of a run.

    Raises `MissingDependency` for a PDF where there is no LibreOffice, and `TooMany` while it is busy, or
    others are written.
    """
    with turn(_reports, TooMany("other reports are being written; ask again in a moment", 10.0)):
        report = make_report(city, run, language)
        if form == "xlsx":
            return write_book(report)
        letter = write_letter(report)
    return as_pdf(letter) if form == "pdf" else letter
