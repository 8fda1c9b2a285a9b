"""HOST:PATH, which names a backup image, and the files beside the image."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from csf_backup_plugin.errors import UnsafeImagePath, UsageError
from csf_backup_plugin.names import absolute, shown

# A host, user@host or ssh alias; it never starts with "-", which ssh would take for an option.
_HOST = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.+-]*@)?[A-Za-z0-9_][A-Za-z0-9_.-]*")
IMPORT_FILE = ".dbn"
RECEIPT = ".receipt.json"
_RUN = ".run"
DRILL = ".drill.json"
VERIFICATION = ".verify.json"
KEEP = ".keep"
REMOVING = ".removing"
COPYING = ".copying"
ARRIVING = ".copying.part"
#: The suffixes of the files in an image's set, and what each file is; no image's name ends in one.
SET = {
    IMPORT_FILE: "import file",
    RECEIPT: "receipt",
    _RUN: "run record",
    DRILL: "record of a drill",
    VERIFICATION: "record of a verification",
    KEEP: "mark that it is to be kept",
    REMOVING: "receipt of a set that is being removed",
    COPYING: "record of a copy that is being made",
    ARRIVING: "part that has arrived of a copy",
}
# Names of temporary files, which are removed if they are found later.
_TEMPORARY = re.compile(r"\.csf-.*\.tmp")
#: The name that means the newest verified image of a directory; no image has it.
LATEST = "latest"
_EXAMPLE = "Give -image-file as HOST:PATH, such as localhost:/backups/monday.img."


def is_host(name: str) -> bool:
    """Tell whether a name can be that of a host."""
    return _HOST.fullmatch(name) is not None


def check_host(name: str, option: str, example: str) -> None:
    """Refuse what cannot be the name of a host.

    Args:
        name: what the user wrote.
        option: the option, for the message.
        example: a correct value, for the message.

    Raises:
        UsageError: it is not a name of a host.
    """
    if not is_host(name):
        raise UsageError(f"{option}: {shown(name)!r} is not the name of a host.", example)


def split_host(text: str, called: str, example: str) -> tuple[str, str]:
    """Return the host before the first colon, and the rest.

    Args:
        text: what the user wrote.
        called: the name of the option or key, for the message.
        example: a sentence with a text that would do.

    Raises:
        UsageError: `text` does not begin with a name of a host.
    """
    host, colon, rest = text.partition(":")
    if not colon or "/" in host:
        raise UsageError(f"{called} {shown(text)!r} does not begin with HOST:.", example)
    check_host(host, called, example)
    return host, rest


def parse_directory(text: str, called: str = "-image-dir") -> ImagePath:
    """Read HOST:DIR, a directory of images; return its ``latest``.

    Args:
        text: what the user wrote.
        called: the name of the option or key, for the message.

    Raises:
        UsageError: `text` is not of that form.
    """
    example = f"Give {called} as HOST:DIR, such as localhost:/backups."
    host, path = split_host(text, called, example)
    try:
        return ImagePath(host, f"{absolute(path.rstrip('/') or path)}/{LATEST}")
    except ValueError as error:
        what = f"{called}: the path {shown(path)!r} {error}."
        raise UsageError(what, example) from None


@dataclass(frozen=True)
class ImagePath:
    """A backup image on a host.

    Attributes:
        host: where osbackup runs and in whose file system the image lies.
        path: the image's absolute path there.
    """

    host: str
    path: str

    @classmethod
    def parse(cls, text: str) -> ImagePath:
        """Read HOST:PATH.

        Raises:
            UsageError: `text` is not of that form, or a part of it is not valid.
            UnsafeImagePath: the name is one that belongs to the set of another image.
        """
        host, path = split_host(text, "-image-file", _EXAMPLE)
        if path.startswith(":/"):
            raise UsageError(
                f"-image-file {shown(text)!r} is a rawfs name; an image is an ordinary file.",
                _EXAMPLE,
            )
        try:
            image = cls(host, absolute(path, longest_suffix=max(SET, key=len)))
        except ValueError as error:
            raise UsageError(f"-image-file: the path {shown(path)!r} {error}.", _EXAMPLE) from None
        image.check_name()
        return image

    def check_name(self) -> None:
        """Refuse a name that is reserved for a file of another image's set, or for temporary files.

        Raises:
            UnsafeImagePath: the name is reserved; the message names the image that it is reserved
                for.
        """
        for ending, what in SET.items():
            if self.path.endswith(ending):
                raise UnsafeImagePath(
                    f"{self} cannot be an image: a name that ends in {ending} is that of another "
                    f"image's {what}.",
                    f"Name the image itself, such as {shown(self.name.removesuffix(ending))}. No "
                    f"image's name ends in {', '.join(SET)}.",
                )
        if _TEMPORARY.fullmatch(posixpath.basename(self.path)):
            raise UnsafeImagePath(
                f"{self} cannot be an image: files of such names are temporary, and removed.",
                "Give the image another name.",
            )

    def __str__(self) -> str:
        """Return HOST:PATH, fit for a message."""
        return shown(self.name)

    @property
    def name(self) -> str:
        """HOST:PATH, as it is typed."""
        return f"{self.host}:{self.path}"

    @property
    def is_latest(self) -> bool:
        """Whether it means the newest verified image of its directory."""
        return posixpath.basename(self.path) == LATEST

    @property
    def directory(self) -> str:
        """The directory the image lies in."""
        return posixpath.dirname(self.path)

    @property
    def import_file(self) -> str:
        """The file that names every database of the backup, one per line."""
        return self.path + IMPORT_FILE

    @property
    def receipt(self) -> str:
        """The receipt: if it exists, the image is complete and proven."""
        return self.path + RECEIPT

    @property
    def drill(self) -> str:
        """The record of the image's last drill, its restore to a scratch directory."""
        return self.path + DRILL

    @property
    def keep(self) -> str:
        """The file that keeps the set from being removed, and says why."""
        return self.path + KEEP

    @property
    def removing(self) -> str:
        """The name that the receipt has while the set is removed."""
        return self.path + REMOVING

    @property
    def copying(self) -> str:
        """The file that says what a set without a receipt is a copy of.

        The process that creates it owns the image's name; it is locked while the copy is made.
        """
        return self.path + COPYING

    @property
    def arriving(self) -> str:
        """The name of a copy's image until it is complete and checked."""
        return self.path + ARRIVING

    @property
    def unfinished_copy(self) -> tuple[str, ...]:
        """The files that a copy makes before its receipt, in the order in which to remove them.

        Its record is the last one, so that it says what the others are while they exist.
        """
        return self.arriving, self.path, self.import_file, self.copying

    @property
    def verification(self) -> str:
        """The record of the image's last verification."""
        return self.path + VERIFICATION

    @property
    def run(self) -> str:
        """The record of osbackup's run, a directory, which is also its working directory."""
        return self.path + _RUN

    @property
    def whole_set(self) -> tuple[str, ...]:
        """The image, and all files that may be beside it."""
        return self.path, *(self.path + ending for ending in SET)
