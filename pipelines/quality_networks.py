"""What the check finds in the network of a survey as a whole."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cim_core.checkin import Rule
from cim_core.network import Network, NodeKind, Rows, Texts
from pipelines.quality_rows import Mask
from pipelines.quality_survey import CheckedSurvey, Findings

_ENDS = (NodeKind.SOURCE, NodeKind.OUTFALL)


def isolated_network(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Parts of a survey's network of a few lines that nothing connects with the rest."""
    network = checked.placed.network
    for rows, system in isolated_parts(network, checked.systems, rule):
        lines = checked.line_of[rows]
        if (lines >= 0).all():
            yield checked.on_line(rule, int(lines[0]), len(rows), "lines", system=system)


def isolated_parts(network: Network, systems: Texts, rule: Rule) -> list[tuple[Rows, str]]:
    """The segments, and the class, of parts that are small, not the largest of it, and end nowhere.

    systems
        (m,) the letters of the class of each segment; segments without one are of one class.
    """
    segments = network.segments
    part = _parts(network)[segments.starts]
    number = int(part.max(initial=-1)) + 1
    sizes = np.bincount(part, minlength=number)
    ended = np.zeros(number, bool)
    ends = _ending(network, rule)
    ended[part[ends[segments.starts] | ends[segments.ends]]] = True
    rows = np.argsort(part, kind="stable")
    begins = np.searchsorted(part[rows], np.arange(number + 1))
    found = []
    for system in (*rule.names("systems"), ""):
        own = np.unique(part[systems == system])
        if not len(own):
            continue
        largest = own[sizes[own].argmax()]
        small = own[(own != largest) & (sizes[own] <= rule.number("lines")) & ~ended[own]]
        found += [(rows[begins[one] : begins[one + 1]], system) for one in small.tolist()]
    return found


def _parts(network: Network) -> NDArray[np.int32]:
    """(n,) the number of the connected part of each node."""
    segments, count = network.segments, len(network.nodes)
    links = (np.ones(len(segments), np.int8), (segments.starts, segments.ends))
    labels: NDArray[np.int32] = connected_components(
        coo_array(links, (count, count)), directed=False
    )[1]
    return labels


def _ending(network: Network, rule: Rule) -> Mask:
    """(n,) the nodes that end a network: what feeds it, what it leaves by, and who takes from it."""
    nodes, words = network.nodes, rule.names("ends")
    said = np.array(
        [any(word in name for word in words) for name in nodes.features.names] + [False]
    )
    taking = (nodes.users > 0) | (nodes.demand > 0)
    return np.asarray(said[nodes.features.codes] | np.isin(nodes.kinds, _ENDS) | taking, bool)
