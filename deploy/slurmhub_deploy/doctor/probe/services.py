"""Looks at what runs on the host: munge, Slurm, the front, the hub, the environment of jobs."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any

from slurmhub_deploy.doctor.probe.basics import figures, run

MARK = "\x1f"
HUB_METRICS = (
    *("slurmhub_", "jupyterhub_running_servers", "jupyterhub_total_users"),
    "jupyterhub_active_users",
)


def munge(credential: str) -> Any:
    """Whether munge answers here, and whether it understands another host's credential."""
    status, mine, err = run("munge", "--no-input", "--restrict-uid=0", "--ttl=120")
    if status != 0:
        return {"works": False, "said": err, "credential": "", "understands": None}
    status, _out, err = run("unmunge", "--output=/dev/null", text=mine)
    understands, said = None, err
    if credential:
        code, _out, said = run("unmunge", "--output=/dev/null", text=credential)
        understands = code == 0
    return {"works": status == 0, "said": said, "credential": mine, "understands": understands}


def slurm(task: dict[str, Any]) -> Any:
    """Releases, whether the controller answers, its nodes, and the rights of accounts."""
    found: dict[str, Any] = {"releases": {}, "nodes": {}, "levels": None, "associations": None}
    for program, flag in (
        ("sinfo", "-V"),
        ("slurmd", "-V"),
        ("slurmctld", "-V"),
        ("slurmdbd", "-V"),
    ):
        try:
            _status, out, _err = run(program, flag)
        except OSError:
            continue
        found["releases"][program] = out.split()[-1] if out.split() else ""
    status, out, err = run("scontrol", "ping")
    found["answers"] = status == 0 and " is UP" in out
    found["said"] = err or out.strip()
    if not task["controller"] or not found["answers"]:
        return found
    form = f"NodeList:{MARK},StateComplete:{MARK},Reason:{MARK}"
    _status, out, _err = run("sinfo", "--all", "--noheader", "--Node", "--exact", "-O", form)
    for line in out.split("\n"):
        columns = [column.strip() for column in line.split(MARK)]
        if len(columns) >= 3:
            found["nodes"][columns[0]] = [columns[1], "" if columns[2] == "none" else columns[2]]
    status, out, _err = run("sacctmgr", "-nP", "show", "user", "format=User,AdminLevel")
    if status == 0:
        rows = (line.split("|") for line in out.splitlines())
        found["levels"] = {row[0]: row[1] for row in rows if len(row) == 2}
        _status, out, _err = run("sacctmgr", "-nP", "show", "assoc", "format=User,Account")
        found["associations"] = sorted(
            {line for line in out.splitlines() if not line.startswith("|")}
        )
    return found


def certificates(tasks: list[dict[str, Any]]) -> Any:
    """What is served for a domain, and whether it is believed; the mode of its key."""
    found: dict[str, Any] = {}
    for task in tasks:
        seen: dict[str, Any] = {"served": False, "believed": False, "said": "", "ends": None}
        context = ssl.create_default_context()
        if task.get("authority"):
            context.load_verify_locations(task["authority"])
        try:
            address = (task["address"], task["port"])
            with (
                socket.create_connection(address, timeout=8) as raw,
                context.wrap_socket(raw, server_hostname=task["domain"]) as secure,
            ):
                ends = (secure.getpeercert() or {}).get("notAfter", "")
                seen.update(served=True, believed=True, ends=ssl.cert_time_to_seconds(str(ends)))
        except ssl.SSLError as error:
            seen.update(served=True, said=getattr(error, "verify_message", "") or str(error))
        except OSError as error:
            seen["said"] = error.strerror or str(error)
        try:
            seen["key_mode"] = os.stat(task["key"]).st_mode & 0o777
        except OSError:
            seen["key_mode"] = None
        status, out, _err = run("openssl", "x509", "-in", task["certificate"], "-noout", "-enddate")
        if status == 0:
            seen["ends"] = ssl.cert_time_to_seconds(out.strip().partition("=")[2])
        found[task["domain"]] = seen
    return found


def front(task: dict[str, Any]) -> Any:
    """Whether Apache's and shibd's configuration is right, the metadata, and our own keys."""
    found: dict[str, Any] = {"metadata": [], "provider_known": None, "keys": {}}
    for name, argv in (("apache", ("apachectl", "-t")), ("shibd", ("shibd", "-t"))):
        try:
            status, out, err = run(*argv, seconds=40)
        except (OSError, subprocess.TimeoutExpired) as error:
            found[name] = {"right": None, "said": str(error)}
            continue
        said = "\n".join(
            line for line in (out + "\n" + err).splitlines() if "ERROR" in line or "rror:" in line
        )
        found[name] = {"right": status == 0, "said": said[-500:]}
    for pattern in task["metadata"]:
        for path in sorted(glob.glob(pattern)):
            found["metadata"].append(_metadata(path, task.get("provider") or ""))
    if task.get("provider"):
        found["provider_known"] = any(each["provider"] for each in found["metadata"])
    for use in ("signing", "encrypt"):
        path = os.path.join(task["key_folder"], f"sp-{use}-cert.pem")
        try:
            with open(path, encoding="ascii") as file:
                found["keys"][use] = hashlib.sha256(
                    ssl.PEM_cert_to_DER_cert(file.read())
                ).hexdigest()
        except (OSError, ValueError):
            found["keys"][use] = None
    return found


def _metadata(path: str, provider: str) -> Any:
    with open(path, "rb") as file:
        text = file.read(200_000_000)
    ends = re.search(rb'<[^>]*Entit(?:y|ies)Descriptor[^>]*\bvalidUntil="([^"]+)"', text)
    return {
        "path": path,
        "changed": os.stat(path).st_mtime,
        "valid_until": ends[1].decode("ascii", "replace") if ends else None,
        "provider": bool(provider) and f'entityID="{provider}"'.encode() in text,
    }


def hubs(tasks: list[dict[str, Any]]) -> Any:
    """Whether each hub answers, its releases, what its metrics say, and what its account may do."""
    found: dict[str, Any] = {}
    for task in tasks:
        base = f"http://{task['address']}:{task['port']}{task['base_url']}hub"
        seen: dict[str, Any] = {"health": None, "version": None, "metrics": None}
        try:
            with urllib.request.urlopen(f"{base}/health", timeout=10) as answer:  # noqa: S310 - always http
                seen["health"] = answer.status
            with urllib.request.urlopen(f"{base}/api/", timeout=10) as answer:  # noqa: S310 - always http
                seen["version"] = json.load(answer).get("version")
            seen["metrics"] = _hub_metrics(f"{base}/metrics", task["token_file"])
        except urllib.error.HTTPError as error:
            seen["health"] = seen["health"] or error.code
        except urllib.error.URLError as error:
            seen["said"] = str(error.reason)
        except (OSError, ValueError) as error:
            seen["said"] = str(error)
        if task.get("courses"):
            seen["courses"] = _answers(task["courses"])
        if task.get("folders"):
            seen["folders"] = _folders(task["folders"])
        seen["releases"] = releases(task["python"], ("slurmhub", "jupyterhub"))
        _status, out, err = run("sudo", "-n", "-l", "-U", task["account"])
        seen["rights"] = [
            line.strip() for line in out.splitlines() if line.startswith("    (")
        ] or [err]
        found[task["name"]] = seen
    return found


def _answers(url: str) -> str:
    """Nothing if it does, with success; else what was said instead."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - always http
            return "" if answer.status == 200 else f"status {answer.status}"
    except urllib.error.HTTPError as error:
        return f"status {error.code}"
    except OSError as error:
        return str(getattr(error, "reason", error))


def _folders(command: list[str]) -> str:
    """Nothing if who keeps the folders of courses can be asked; else what was said instead."""
    _status, out, err = run(*command, text='{"verb": "list"}', seconds=30)
    try:
        answer = json.loads(out)
        return "" if answer["ok"] else str(answer["message"])
    except (ValueError, TypeError, KeyError):
        return (err or out).strip()[-300:] or "there was no answer"


def _hub_metrics(url: str, token_file: str) -> Any:
    with open(token_file, encoding="ascii") as file:
        asked = urllib.request.Request(  # noqa: S310 - always http
            url, headers={"Authorization": f"token {file.read().strip()}"}
        )
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - always http
        return figures(answer.read().decode().splitlines(), *HUB_METRICS)


def releases(python: str, packages: Iterable[str]) -> Any:
    """The releases of packages in an environment; None for one that is not in it."""
    code = (
        "import importlib.metadata as m, json, sys\nfound = {}\nfor name in sys.argv[1:]:\n"
        " try: found[name] = m.version(name)\n except m.PackageNotFoundError: found[name] = None\n"
        "print(json.dumps(found))"
    )
    try:
        status, out, _err = run(python, "-I", "-c", code, *packages)
    except OSError:
        return None
    return json.loads(out) if status == 0 else None


def work(_: Any) -> Any:
    """Jobs of everybody by state, and reservations with their end, as the controller has them."""
    jobs: dict[str, int] = {}
    _status, out, _err = run("squeue", "--all", "--noheader", "--array", "--format=%T")
    for state in out.split():
        jobs[state.lower()] = jobs.get(state.lower(), 0) + 1
    reservations = {}
    _status, out, _err = run("scontrol", "--all", "-o", "show", "reservation")
    for line in out.splitlines():
        pairs = dict(word.partition("=")[::2] for word in line.split())
        if "ReservationName" in pairs:
            reservations[pairs["ReservationName"]] = [pairs["StartTime"], pairs["EndTime"]]
    return {"jobs": jobs, "reservations": reservations}


def alerts(address: str) -> Any:
    """What Prometheus raises now: name, severity and words of each alert; not what is pending."""
    with urllib.request.urlopen(f"http://{address}/api/v1/alerts", timeout=10) as answer:
        found = json.load(answer)["data"]["alerts"]
    return [
        {
            "name": each["labels"].get("alertname", ""),
            "severity": each["labels"].get("severity", ""),
            "summary": each["annotations"].get("summary", ""),
            "since": each["activeAt"],
        }
        for each in found
        if each["state"] == "firing"
    ]


def jupyter(task: dict[str, Any]) -> Any:
    """The releases in the environment of jobs."""
    return releases(task["python"], ("jupyterhub", "jupyterlab", "ipykernel"))
