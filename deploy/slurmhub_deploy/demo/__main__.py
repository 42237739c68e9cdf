"""Run by script/demo: `python -m slurmhub_deploy.demo`."""

from __future__ import annotations

from slurmhub_deploy.demo.command import main

main()
