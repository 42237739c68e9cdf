"""axe-core in a page: what would keep a person with a screen reader or weak sight out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

_GRAVE = ("serious", "critical")
_RUN = """async () => {
    const found = await axe.run(document, { resultTypes: ["violations"] });
    return found.violations.map(({ id, impact, help, nodes }) => ({
        id, impact, help, where: nodes.map(node => node.html),
    }));
}"""


@dataclass(frozen=True)
class Axe:
    """The checker; `source` is axe.min.js."""

    source: str = field(repr=False)

    def grave(self, page: Page) -> list[str]:
        """Every serious or critical violation on the page, with the elements it concerns."""
        page.evaluate(self.source)
        found: list[dict[str, Any]] = page.evaluate(_RUN)
        return [
            f"{one['impact']}: {one['help']} ({one['id']}): {' '.join(one['where'])}"
            for one in found
            if one["impact"] in _GRAVE
        ]
