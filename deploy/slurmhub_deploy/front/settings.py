"""What a site says about its front, as typed data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from slurmhub_deploy.front.attributes import IDS
from slurmhub_deploy.front.errors import FrontError

_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    r"(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\Z"
)
_BASE = re.compile(r"/(?:[A-Za-z0-9][A-Za-z0-9._~-]*/)*\Z")
_PATH = re.compile(r"/[A-Za-z0-9 ._~/+:@-]*\Z")
_MAIL = re.compile(r"[A-Za-z0-9.!#&*+/=?^_~-]+@[A-Za-z0-9.-]+\Z")
_URL_TEXT = re.compile(r"[A-Za-z0-9._~:/?#@!&()*+,;=%-]+\Z")
_ENTITY = re.compile(r"[A-Za-z0-9._~:/?#@!&()*+,;=%-]{1,1024}\Z")
_BUILT_IN = "built-in"


def _domain(value: str) -> str:
    if not _DOMAIN.match(value):
        raise ValueError("must be a host name in lower case, such as hub.example.ca")
    return value


def _base(value: str) -> str:
    if not _BASE.match(value):
        raise ValueError("must begin and end with /, such as / or /jupyter/")
    return value


def _path(value: Path) -> Path:
    if not _PATH.match(str(value)) or ".." in value.parts:
        raise ValueError("must be an absolute path of letters, digits, spaces and ._~+:@-")
    return value


def _mail(value: str) -> str:
    if not _MAIL.match(value):
        raise ValueError("must be a mail address, such as help@example.ca")
    return value


def _https(value: str) -> str:
    return _url(value, ("https",))


def _web(value: str) -> str:
    return _url(value, ("https", "http"))


def _url(value: str, schemes: tuple[str, ...]) -> str:
    if not _URL_TEXT.match(value):
        raise ValueError("must be a URL; write other characters as %-escapes")
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in schemes or parts.username or parts.password:
        raise ValueError(f"must begin with {' or '.join(f'{each}://' for each in schemes)}")
    return value


def _entity(value: str) -> str:
    if not _ENTITY.match(value) or ":" not in value:
        raise ValueError("must be a URL or a URN of at most 1024 characters")
    return value


def _words(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError("must be one line of words")
    return value


def _attribute(value: str) -> str:
    if value not in IDS:
        raise ValueError(f"must be one of {', '.join(IDS)}")
    return value


def _proxy(value: str) -> str:
    if value.startswith("unix:"):
        _path(Path(value.removeprefix("unix:")))
        return value
    parts = urlsplit(_url(value, ("http",)))
    if parts.hostname not in {"127.0.0.1", "::1", "localhost"} or parts.path not in {"", "/"}:
        raise ValueError(
            "must be unix:/path/of/a/socket, or http://127.0.0.1:PORT: a port that other hosts"
            " reach lets them go round the front"
        )
    return value.rstrip("/")


def _discovery(value: str) -> str:
    return value if value == _BUILT_IN else _https(value)


Domain = Annotated[str, AfterValidator(_domain)]
BaseUrl = Annotated[str, AfterValidator(_base)]
AbsolutePath = Annotated[Path, AfterValidator(_path)]
Mail = Annotated[str, AfterValidator(_mail)]
HttpsUrl = Annotated[str, AfterValidator(_https)]
WebUrl = Annotated[str, AfterValidator(_web)]
EntityId = Annotated[str, AfterValidator(_entity)]
Words = Annotated[str, AfterValidator(_words)]
AttributeId = Annotated[str, AfterValidator(_attribute)]
ProxyAddress = Annotated[str, AfterValidator(_proxy)]
DiscoverySetting = Annotated[str, AfterValidator(_discovery)]
Port = Annotated[int, Field(ge=1, le=65535)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class TwoLanguages(_Model):
    """The same words in English and French."""

    en: Words
    fr: Words


class Contact(_Model):
    """Somebody whom a federation's operator, or a person who cannot sign in, may write to."""

    name: Words
    mail: Mail


class Logo(_Model):
    """The picture that discovery services and consent pages show beside the name."""

    url: HttpsUrl
    width: Annotated[int, Field(ge=16, le=2000)]
    height: Annotated[int, Field(ge=16, le=2000)]
    file: AbsolutePath | None = None


class MetadataFile(_Model):
    """Metadata of one identity provider or several, in a file that the site looks after."""

    kind: Literal["file"]
    file: AbsolutePath
    signing_certificate: AbsolutePath | None = None


class MetadataUrl(_Model):
    """Metadata fetched again and again: a federation's aggregate, or one provider's own.

    Without a signature, whoever answers at this address decides who anybody is; so it must be
    signed, and must say until when it is valid, at most `max_validity_days` ahead.
    """

    kind: Literal["url"]
    url: WebUrl
    signing_certificate: AbsolutePath
    max_validity_days: Annotated[int, Field(ge=1, le=60)] = 28
    refresh_seconds: Annotated[int, Field(ge=60, le=86400)] = 7200
    include: tuple[EntityId, ...] = ()
    exclude: tuple[EntityId, ...] = ()

    @model_validator(mode="after")
    def _one_list(self) -> MetadataUrl:
        _not_both(self.include, self.exclude)
        return self


class MetadataQuery(_Model):
    """One provider's metadata at a time, asked for when somebody comes from there (MDQ)."""

    kind: Literal["mdq"]
    base_url: WebUrl
    signing_certificate: AbsolutePath
    max_validity_days: Annotated[int, Field(ge=1, le=60)] = 28
    include: tuple[EntityId, ...] = ()
    exclude: tuple[EntityId, ...] = ()

    @model_validator(mode="after")
    def _one_list(self) -> MetadataQuery:
        _not_both(self.include, self.exclude)
        return self


MetadataSource = Annotated[MetadataFile | MetadataUrl | MetadataQuery, Field(discriminator="kind")]


class FrontSettings(_Model):
    """Everything from which the front's files follow."""

    # Where the hub is
    domain: Domain
    base_url: BaseUrl = "/"
    proxy: ProxyAddress
    https_port: Port = 443
    http_port: Port | None = 80
    notify_port: Port = 8449
    hsts_days: Annotated[int, Field(ge=0, le=3650)] = 365

    # Who runs it
    institution: Words
    name: TwoLanguages
    description: TwoLanguages
    information_url: HttpsUrl
    privacy_url: HttpsUrl
    support: Contact
    technical: Contact
    security: Contact
    support_url: HttpsUrl | None = None
    logo: Logo | None = None

    # Who says who somebody is
    entity_id: EntityId
    metadata: Annotated[tuple[MetadataSource, ...], Field(min_length=1)]
    provider: EntityId | None = None
    discovery: DiscoverySetting | None = None
    subject: Literal["subject-id", "pairwise-id", "any", "none"] = "subject-id"
    required: tuple[AttributeId, ...] = ()
    wanted: tuple[AttributeId, ...] = (
        "eppn",
        "displayName",
        "givenName",
        "sn",
        "mail",
        "affiliation",
    )
    session_hours: Annotated[int, Field(ge=1, le=168)] = 12

    # Files of this host
    tls_certificate: AbsolutePath
    tls_key: AbsolutePath
    acme_folder: AbsolutePath | None = None
    key_folder: AbsolutePath
    second_key_folder: AbsolutePath | None = None
    key_account: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")] = "_shibd"
    hub_account: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")] = "root"
    secret_file: AbsolutePath = Path("/etc/slurmhub/front-secret")
    apache_folder: AbsolutePath = Path("/etc/apache2/slurmhub")
    apache_log_folder: AbsolutePath = Path("/var/log/apache2")
    shibboleth_folder: AbsolutePath = Path("/etc/shibboleth")
    shibboleth_cache: AbsolutePath = Path("/var/cache/shibboleth")
    shibboleth_socket: AbsolutePath = Path("/run/shibboleth/shibd.sock")
    shibboleth_log_folder: AbsolutePath | None = None

    @model_validator(mode="after")
    def _one_way_to_a_provider(self) -> FrontSettings:
        if (self.provider is None) == (self.discovery is None):
            raise ValueError(
                "give either `provider` (everybody signs in there) or `discovery` (people choose)"
            )
        if self.discovery == _BUILT_IN and all(s.kind == "mdq" for s in self.metadata):
            raise ValueError(
                "`discovery: built-in` needs a list of providers, which MDQ does not give: name the"
                " federation's own discovery service, or use its aggregate"
            )
        if self.subject == "none" and "eppn" not in self.required:
            raise ValueError("with `subject: none`, `required` must contain eppn")
        if self.second_key_folder == self.key_folder:
            raise ValueError("second_key_folder must be another folder than key_folder")
        ports = [self.https_port, self.notify_port, *([self.http_port] if self.http_port else [])]
        if len(set(ports)) < len(ports):
            raise ValueError("https_port, http_port and notify_port must differ")
        return self

    @property
    def key_folders(self) -> tuple[Path, ...]:
        """Where the service provider's keys are: those it signs with, then those of a change."""
        return (self.key_folder, *([self.second_key_folder] if self.second_key_folder else []))

    @property
    def origin(self) -> str:
        """The hub's scheme, host and, unless it is the usual one, port."""
        return f"https://{self.domain}" + (f":{self.https_port}" if self.https_port != 443 else "")

    @property
    def hub(self) -> str:
        """The hub's own path, with a slash at its end."""
        return f"{self.base_url}hub/"

    @property
    def handler(self) -> str:
        """The path of the service provider's handler."""
        return f"{self.hub}Shibboleth.sso"

    @property
    def discovery_url(self) -> str | None:
        """Where people choose their institution; None if there is nothing to choose."""
        if self.discovery == _BUILT_IN:
            return f"{self.origin}{self.hub}shibboleth/where"
        return self.discovery

    @property
    def built_in_discovery(self) -> bool:
        """Whether the hub itself shows the list of institutions."""
        return self.discovery == _BUILT_IN


def load_settings(path: Path) -> FrontSettings:
    """The settings in a YAML file; raises FrontError that names each wrong value."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FrontError(
            f"{path} cannot be read: {error.strerror}.", remedy="Give the file with --settings."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FrontError(
            f"{path} is not YAML: {' '.join(str(error).split())}", remedy="Correct that line."
        ) from error
    return check_settings(found, str(path))


def check_settings(found: object, where: str) -> FrontSettings:
    """These settings, checked; raises FrontError that names each wrong value."""
    try:
        return FrontSettings.model_validate(found)
    except ValidationError as error:
        wrong = "\n".join(
            f"  {'.'.join(map(str, each['loc'])) or 'the whole'}: {_plain(each['msg'])}"
            for each in error.errors(include_url=False, include_input=False)
        )
        raise FrontError(
            f"{where} does not describe a front:\n{wrong}",
            remedy="Correct these; docs/operators/shibboleth.md explains each setting.",
        ) from error


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")


def _not_both(include: tuple[str, ...], exclude: tuple[str, ...]) -> None:
    if include and exclude:
        raise ValueError("give `include` or `exclude`, not both")
