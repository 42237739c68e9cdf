"""A module that could only do what it is asked for by destroying, and so does not."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: slurmhub_small_volume
short_description: Refuses
options: {name: {type: str, required: true, description: The volume.}}
"""


def main() -> None:
    """Refuse, in check mode as well."""
    module = AnsibleModule({"name": {"type": "str", "required": True}}, supports_check_mode=True)
    name = module.params["name"]
    module.fail_json(msg=f"There is something on {name}.", would_destroy=[name])


main()
