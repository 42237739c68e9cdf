"""The setting that says which features of nodes people may choose."""

from __future__ import annotations

from traitlets import HasTraits, List, Unicode


class ChoiceTraits(HasTraits):
    """What the form lets people choose beside resources."""

    node_features = List(
        Unicode(),
        None,
        allow_none=True,
        help="Features of nodes that people may choose; None for all of them, [] for none.",
    ).tag(config=True)
