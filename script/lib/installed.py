"""Install what tests run besides Python packages, and print where: proxy, server, axe-core."""

from __future__ import annotations

from slurmhub_deploy.demo.environment import (
    jupyter_environment,
    node_modules,
    plain_workshop,
    proxy_command,
)

workshop = plain_workshop()
print(*proxy_command(workshop))
print(*jupyter_environment(workshop).command)
print(node_modules(workshop, development=True) / "axe-core" / "axe.min.js")
