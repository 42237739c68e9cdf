"""What the roles front and tls need of the toolkit, worked out on the control host."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError

from slurmhub.errors import SlurmhubError
from slurmhub_deploy.front.certificate import certificate_problems, ends
from slurmhub_deploy.front.registration import texts
from slurmhub_deploy.front.render import render
from slurmhub_deploy.front.settings import FrontSettings, check_settings

_APACHE = "apache/slurmhub.conf"
_PAGES = "apache/pages/"
_SHIBBOLETH = "shibboleth/"


def front_files(settings: Mapping[str, Any], site: str) -> dict[str, str]:
    """Every file of a front by its path on the host; `site` is where Apache's goes."""
    checked = _checked(settings)
    return {_place(checked, name, site): text for name, text in _said(render, checked).items()}


def front_registration(
    settings: Mapping[str, Any], signing: str, encryption: str
) -> dict[str, str]:
    """What the federation is sent, by file name; the certificates are PEM."""
    found = {"signing": _base64(signing), "encrypt": _base64(encryption)}
    return _said(lambda checked: texts(checked, [found]), _checked(settings))


def beside(copied: Mapping[str, str], folder: str) -> dict[str, str]:
    """A file to copy, with its place on the control host: below this folder."""
    return {**copied, "src": str(Path(folder) / copied["src"])}


def _checked(settings: Mapping[str, Any]) -> FrontSettings:
    return _said(lambda found: check_settings(found, "front_settings"), _plain(settings))


def _plain(value: Any) -> Any:
    """Python's own types: Ansible's containers template what is in them when it is taken out."""
    if isinstance(value, Mapping):
        return {str(name): _plain(value[name]) for name in value}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Sequence):
        return [_plain(each) for each in value]
    return value


def _place(settings: FrontSettings, name: str, site: str) -> str:
    if name == _APACHE:
        return site
    if name.startswith(_PAGES):
        return f"{settings.apache_folder}/pages/{name.removeprefix(_PAGES)}"
    return f"{settings.shibboleth_folder}/{name.removeprefix(_SHIBBOLETH)}"


def _base64(certificate: str) -> str:
    """As metadata holds it (XML Signature's X509Certificate): the lines between PEM's marks."""
    found = re.search(
        "-----BEGIN CERTIFICATE-----\n(.*?)-----END CERTIFICATE-----", certificate, re.DOTALL
    )
    if found is None:
        raise AnsibleFilterError("The service provider's certificate is not PEM.")
    return "".join(found[1].split())


def _said(function: Callable[[Any], Any], argument: Any) -> Any:
    """The result; an error of ours in Ansible's form, with what to do."""
    try:
        return function(argument)
    except SlurmhubError as error:
        raise AnsibleFilterError(f"{error.what} What to do: {error.remedy}") from error


class FilterModule:
    """Named as in templates."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {
            "slurmhub_beside": beside,
            "slurmhub_certificate_problems": certificate_problems,
            "slurmhub_certificate_ends": ends,
            "slurmhub_front_files": front_files,
            "slurmhub_front_registration": front_registration,
        }
