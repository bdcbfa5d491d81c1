"""What stands in letters: the text of a PDF, and that LibreOffice is there to make one."""

import os
import shutil
import subprocess
import zipfile
from io import BytesIO
from xml.etree import ElementTree

import pytest

WORDS = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def needs_libreoffice() -> None:
    """Skip, or in CI fail, where the programs are missing that make a PDF and read it."""
    missing = [name for name in ("soffice", "pdftotext") if shutil.which(name) is None]
    if missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{missing[0]} is missing, and nothing is skipped in CI")
        pytest.skip(f"{missing[0]} is not installed; run `make letters`")


def pdf_text(pdf: bytes) -> str:
    """The text of a PDF as poppler reads it, line by line as it lies on the pages."""
    made = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True
    )
    return made.stdout.decode()


def letter_tables(letter: bytes) -> list[list[list[str]]]:
    """The tables of a .docx: rows of the texts of their cells."""
    with zipfile.ZipFile(BytesIO(letter)) as archive:
        root = ElementTree.fromstring(archive.read("word/document.xml"))
    return [
        [
            ["".join(cell.itertext()) for cell in row.iter(f"{WORDS}tc")]
            for row in table.iter(f"{WORDS}tr")
        ]
        for table in root.iter(f"{WORDS}tbl")
    ]
