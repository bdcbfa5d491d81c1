"""Survey tables of pipes (CJJ 61) as an import: what a person brings, and the layer it becomes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cim_core.errors import InvalidInput
from cim_core.layer import Layer, Placement, Source
from cim_core.progress import Progress
from pipelines.dictionary import class_letters
from pipelines.network_layer import network_layer
from pipelines.quality import quality_findings
from pipelines.survey_file import ENDINGS
from pipelines.survey_glance import holds_survey
from pipelines.survey_network import said, survey_network
from pipelines.survey_place import survey_place
from pipelines.survey_tables import read_survey
from pipelines.survey_values import JoinedRows, Notes

EXTENSIONS = (*ENDINGS, ".zip")


@dataclass(frozen=True, slots=True)
class SurveyImporter:
    """Reads tables of points and lines of pipes, with tables of valves and users beside them.

    Options: `headers` (a mapping file), `encoding` (of texts), `pipe_class` (of what says none
    itself).
    """

    kind: str = "pipes"
    extensions: tuple[str, ...] = EXTENSIONS

    def recognises(self, path: Path) -> bool:
        """Whether some table in it has the headers of a survey of pipes."""
        return holds_survey(path)

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a file, or all tables of a folder or an archive as one network.

        Rows that cannot be used are reported in the layer. Raises `InvalidInput` when nothing can.
        """
        letters = class_letters(source.options.get("pipe_class", ""))
        if source.options.get("pipe_class") and not letters:
            raise InvalidInput(
                f"pipe_class={source.options['pipe_class']} is no class of pipes; give its letters, "
                "as in pipe_class=JS"
            )
        survey = read_survey(source.path, source.filename, source.options, progress)
        notes = Notes(warnings=list(survey.remarks))
        points = JoinedRows.of(survey.tables, "point")
        silent = Notes()  # what cannot be read is told when it is used
        both = np.column_stack([points.numbers("x", silent), points.numbers("y", silent)])
        known = np.isfinite(both).all(axis=1)
        names = [table.name for table in survey.tables]
        where = survey_place(
            source, placement, names, survey.systems, both[known], points.tables[known]
        )
        notes.warnings += where.warnings
        progress(0, 0, "geometry")
        placed = survey_network(
            survey.tables, where.locate, notes, ground=source.ground, pipe_class=letters
        )
        if not len(placed.network.segments):
            raise InvalidInput(
                f"no line of {source.filename} can be used"
                f" ({notes.dropped[0].reason if notes.dropped else 'there is no table of lines'} is the "
                "first reason); bring the tables of points and of lines together, as a folder or a .zip"
            )
        findings = quality_findings(survey.tables, placed, source.rules, placement.city_frame)
        return network_layer(
            source, placement, where.place, placed.network, progress,
            said=said(survey.tables, placed), dropped=tuple(notes.dropped),
            warnings=tuple(notes.warnings), findings=tuple(findings),
        )  # fmt: skip
