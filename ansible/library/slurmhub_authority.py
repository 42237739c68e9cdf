#!/usr/bin/python3
"""A certificate of an authority of the site's own, both made by openssl(1) where they are kept."""

from __future__ import annotations

DOCUMENTATION = r"""
module: slurmhub_authority
short_description: A certificate that an authority of the site's own has signed
description:
  - Makes an authority (a key and a certificate that signs others) in a folder if there is none, and
    has a service's key and certificate be signed by it. The service's are made again when they end
    soon, are for other names or of another authority. The authority's are never made again.
options:
  folder:
    description: The folder of the authority, with C(ca.key) and C(ca.pem).
    type: path
    required: true
  subject:
    description: The authority's name.
    type: str
    required: true
  certificate:
    description: The service's certificate.
    type: path
    required: true
  key:
    description: The service's key.
    type: path
    required: true
  group:
    description: The group that may read the service's key.
    type: str
    required: true
  names:
    description: Names and addresses of the service; the first one is its subject.
    type: list
    elements: str
    required: true
  days:
    description: Days that a certificate of the service holds.
    type: int
    default: 1825
  renew_days:
    description: Days before its end at which it is made again.
    type: int
    default: 365
author: [slurmhub]
attributes:
  check_mode:
    description: Says what it would make.
    support: full
"""

EXAMPLES = r"""
- name: Have a certificate for the directory
  slurmhub_authority:
    folder: /srv/slurmhub/directory
    subject: slurmhub directory dc=example,dc=ca
    certificate: /etc/ldap/tls/server.pem
    key: /etc/ldap/tls/server.key
    group: openldap
    names: [controller, 192.0.2.10]
"""

RETURN = r"""
made:
  description: What was made, of C(authority) and C(certificate).
  returned: always
  type: list
  elements: str
reason:
  description: Why the certificate was made; empty if it was not.
  returned: always
  type: str
"""

import ipaddress  # noqa: E402 - Ansible wants the documentation first
import os  # noqa: E402
import re  # noqa: E402
import shutil  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402
from collections.abc import Mapping  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402

SECONDS = 60
# Longer than any host; who has its key could only pretend to be this site's directory.
AUTHORITY_DAYS = 365 * 30
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Trouble(Exception):
    """What openssl said."""


def openssl(*words: str) -> str:
    """Runs openssl(1); raises Trouble with its own words."""
    try:
        done = subprocess.run(
            ["/usr/bin/openssl", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Trouble(f"openssl cannot be run: {problem}") from problem
    if done.returncode:
        raise Trouble(done.stderr.strip())
    return done.stdout


def alternative_names(names: list[str]) -> str:
    """The extension subjectAltName for names and addresses."""
    return ",".join(f"{'IP' if is_address(name) else 'DNS'}:{name}" for name in names)


def is_address(name: str) -> bool:
    """Whether this is an address and no name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def names_of(text: str) -> set[str]:
    """The names and addresses that `openssl x509 -ext subjectAltName` prints."""
    found = re.findall(r"(?:DNS|IP Address):([^,\s]+)", text)
    return {str(ipaddress.ip_address(each)) if is_address(each) else each for each in found}


def why_anew(given: Mapping[str, Any], authority: Path) -> str:
    """Why the service's certificate has to be made; empty if it need not."""
    certificate, key = given["certificate"], given["key"]
    if not os.path.exists(certificate) or not os.path.exists(key):
        return "there is none"
    try:
        openssl("verify", "-CAfile", str(authority), "-no_check_time", certificate)
    except Trouble:
        return "it is of another authority"
    try:
        seconds = str(given["renew_days"] * 86400)
        openssl("x509", "-in", certificate, "-noout", "-checkend", seconds)
    except Trouble:
        return f"it ends within {given['renew_days']} days"
    public = openssl("x509", "-in", certificate, "-noout", "-pubkey")
    if public != openssl("pkey", "-in", key, "-pubout"):
        return "its key is another one"
    names = openssl("x509", "-in", certificate, "-noout", "-ext", "subjectAltName")
    if names_of(names) != {str(each) for each in given["names"]}:
        return "it is for other names"
    return ""


def make_authority(folder: Path, subject: str) -> None:
    """A key and a certificate that signs others; whole or not at all, the certificate last."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        key, certificate = f"{place}/ca.key", f"{place}/ca.pem"
        openssl(
            *("req", "-x509", *NEW_KEY, "-days", str(AUTHORITY_DAYS), "-subj", f"/CN={subject}"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
            *("-keyout", key, "-out", certificate),
        )
        os.chmod(certificate, 0o644)
        os.rename(key, folder / "ca.key")
        os.rename(certificate, folder / "ca.pem")


def make_certificate(given: Mapping[str, Any], folder: Path) -> None:
    """The service's key and certificate, put in place when both are there."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        key, request, certificate = (f"{place}/{name}" for name in ("key", "request", "pem"))
        openssl(
            *("req", "-new", *NEW_KEY, "-subj", f"/CN={given['names'][0]}"),
            *("-addext", f"subjectAltName={alternative_names(given['names'])}"),
            *("-addext", "extendedKeyUsage=serverAuth", "-keyout", key, "-out", request),
        )
        openssl(
            *("x509", "-req", "-in", request, "-days", str(given["days"]), "-copy_extensions"),
            *("copyall", "-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca.key")),
            *("-out", certificate),
        )
        os.chmod(certificate, 0o644)
        shutil.chown(key, "root", given["group"])
        os.chmod(key, 0o640)
        # Other file systems than the authority's, maybe: a rename might not do.
        for source, target in ((key, given["key"]), (certificate, given["certificate"])):
            beside = f"{target}.new"
            shutil.copy2(source, beside)
            if source == key:
                shutil.chown(beside, "root", given["group"])
            os.rename(beside, target)


def ensure(given: Mapping[str, Any], *, dry: bool) -> dict[str, Any]:
    """Brings it about, or says what would be; the result of the module."""
    os.umask(0o077)
    folder = Path(given["folder"])
    authority = folder / "ca.pem"
    made = []
    if not authority.exists():
        # A certificate without its key would be lost by making both again, hence the key's check.
        if (folder / "ca.key").exists():
            raise Trouble(f"{folder} has ca.key but not ca.pem; restore ca.pem from a backup")
        made.append("authority")
        if not dry:
            make_authority(folder, given["subject"])
    reason = "there is none" if dry and made else why_anew(given, authority)
    if reason:
        made.append("certificate")
        if not dry:
            if not (folder / "ca.key").exists():
                raise Trouble(f"{folder}/ca.key is gone; restore it from a backup")
            make_certificate(given, folder)
    return {"changed": bool(made), "made": made, "reason": reason}


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "folder": {"type": "path", "required": True},
            "subject": {"type": "str", "required": True},
            "certificate": {"type": "path", "required": True},
            "key": {"type": "path", "required": True, "no_log": False},
            "group": {"type": "str", "required": True},
            "names": {"type": "list", "elements": "str", "required": True},
            "days": {"type": "int", "default": 1825},
            "renew_days": {"type": "int", "default": 365},
        },
        supports_check_mode=True,
    )
    try:
        result = ensure(module.params, dry=module.check_mode)
    except Trouble as trouble:
        module.fail_json(msg=f"{module.params['certificate']}: {trouble}")
    except OSError as problem:
        module.fail_json(msg=f"{problem.filename}: {problem.strerror}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
