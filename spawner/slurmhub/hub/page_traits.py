"""What a site may set of the pages that people see, whichever server they are about."""

from __future__ import annotations

from traitlets import Bool, Enum, HasTraits, Integer

from slurmhub.language import LANGUAGES, SOURCE


class PageTraits(HasTraits):
    """Settings of the hub's pages."""

    default_language = Enum(
        list(LANGUAGES),
        SOURCE,
        help="The language of the pages for people who chose none and whose browser asks for none "
        "that there is: en or fr.",
    ).tag(config=True)
    files_page = Bool(
        False,
        help="Let people list, download, add and delete the files of their home without a server. "
        "It is done under their own accounts, by the helper.",
    ).tag(config=True)
    files_largest_download = Integer(
        2_000_000_000, min=0, help="The largest file that this page sends, in bytes."
    ).tag(config=True)
    files_largest_upload = Integer(
        10_000_000,
        min=0,
        max=100_000_000,
        help="The largest file that this page takes in, in bytes; the hub holds it in memory.",
    ).tag(config=True)
