"""The JSON schema of site files, for editors."""

from __future__ import annotations

import copy
import json
from typing import Any

from slurmhub_deploy.site.model import Site

# What a hub may have from `hub_defaults`, so that it need not say it itself.
_SHARED = ("ShibbolethSignIn", "Accounts", "Limits")


def site_schema() -> dict[str, Any]:
    """The schema, in draft 2020-12.

    It knows names, kinds and forms. What several parts must agree on only `slurmhub check` knows.
    """
    schema = Site.model_json_schema(mode="validation")
    parts = schema["$defs"]
    defaults = copy.deepcopy(parts["Hub"])
    defaults["title"] = "HubDefaults"
    defaults["description"] = "What every hub has that does not say otherwise."
    del defaults["required"]
    parts["HubDefaults"] = defaults
    parts["Hub"]["required"] = ["domain"]
    for name in _SHARED:
        parts[name].pop("required", None)
    described = schema["properties"]["hub_defaults"]
    schema["properties"]["hub_defaults"] = {
        "$ref": "#/$defs/HubDefaults",
        "description": described["description"],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The site file of slurmhub",
        **{name: value for name, value in schema.items() if name != "title"},
    }


def schema_text() -> str:
    """The schema as it is published."""
    return json.dumps(site_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
