"""Data cards: what people must know of a data set, beside what its versions say, as a Croissant document.

Croissant 1.0 (MLCommons, http://mlcommons.org/croissant/1.0) is JSON-LD over schema.org; its extension for responsible AI
(http://mlcommons.org/croissant/RAI/1.0) has the fields on privacy and on how the data were made.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from assay.capture.data_changes import File
from assay.capture.data_scan import readable
from assay.capture.data_split import FOLDER
from assay.errors import InvalidValue, MissingContent
from assay.records.dataset import Card, DataVersion
from assay.store.datasets import Listed
from assay.store.objects import Objects, hash_file

BESIDE = ".card.yaml"
"""What the name of a card's file has after that of the data."""

_CROISSANT = "http://mlcommons.org/croissant/1.0"
_RAI = "http://mlcommons.org/croissant/RAI/1.0"
_TERMS = (
    "citeAs column conformsTo=dct:conformsTo data=@json dataType=@vocab equivalentProperty examples=@json extract field fileProperty"
    " fileObject fileSet format includes isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace"
    " samplingRate separator source subField transform"
)
_LISTS = {"creators", "generation"}
_PIECE = 1 << 20
_KINDS = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".jsonl": "application/jsonlines",
    ".parquet": "application/x-parquet",
}


def read_card(path: Path) -> dict[str, Any]:
    """The fields of a card's file, a YAML mapping; `creators` and `generation` are lists.

    Raises:
        InvalidValue: it cannot be read, is no mapping, or has a field that no card has.
    """
    # Late: most cards are made without a file, and the parser takes a twentieth of a second to load.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise InvalidValue(
            "this card cannot be read", value=str(path), expected="a YAML mapping", next_step=f"{error}".splitlines()[0]
        ) from error
    return checked_fields(found if found is not None else {}, str(path))


def checked_fields(found: object, where: str) -> dict[str, Any]:
    """Fields for a `Card`, texts and tuples of texts.

    Raises:
        InvalidValue: a field is unknown or has another type.
    """
    known = Card.__struct_fields__
    if not isinstance(found, dict) or not set(found) <= set(known):
        wrong = sorted(str(key) for key in set(found) - set(known)) if isinstance(found, dict) else type(found).__name__
        raise InvalidValue("a card has no such field", value=wrong, expected=", ".join(known), next_step=f"Look at {where}.")
    return {name: _field(name, value) for name, value in found.items()}


def croissant(
    listed: Listed,
    version: DataVersion,
    card: Card,
    files: Mapping[bytes, File],
    sha256: Mapping[bytes, str],
    fields: Mapping[bytes, Sequence[str]],
) -> dict[str, Any]:
    """The card as a Croissant document.

    Args:
        files: of the version, by path.
        sha256: of each file that is no link.
        fields: names of the columns of tables, by path.
    """
    document = {
        "@context": _context(),
        "@type": "sc:Dataset",
        "name": card.title or listed.entry.name,
        "description": card.description or f"The data set {listed.entry.name}, recorded by Assay.",
        "conformsTo": [_CROISSANT, _RAI],
        "identifier": f"blake3:{listed.entry.content}",
        "version": f"1.0.0+{listed.entry.content[:12]}",
        "datePublished": card.published or time.strftime("%Y-%m-%d", time.gmtime(listed.entry.added)),
        "dateModified": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(listed.entry.added)),
        "url": card.source if _is_url(card.source) else f"urn:blake3:{listed.entry.content}",
        "citeAs": card.cite or f"{listed.entry.name}, version {listed.entry.content}",
        "license": card.licence or None,
        "creator": [{"@type": "sc:Person", "name": name} for name in card.creators] or None,
        "isBasedOn": card.source or None,
        "conditionsOfAccess": card.access or None,
        "rai:personalSensitiveInformation": card.privacy or None,
        "rai:dataPreprocessingProtocol": [*card.generation, *_split_steps(version)] or None,
        "distribution": list(_distribution(files, sha256)),
        "recordSet": list(_record_sets(fields)) or None,
    }
    return {key: value for key, value in document.items() if value is not None}


def sha256_of(objects: Objects, file: File, place: Path) -> str:
    """SHA-256 of a file's content, from where it lies if it is still the same, else from the store.

    Raises:
        MissingContent: neither has it.
        StoreDamaged, StoreUnusable: the store cannot be read.
    """
    try:
        digest = _sha256_at(place, file)
    except OSError:
        digest = None
    if digest is None and file.id not in objects:
        raise MissingContent(
            "this content is neither in the store nor where it was added",
            value=str(place),
            expected=f"content {file.id}",
            next_step="Put the version back before its card is made, or add the data set with --policy kept.",
        )
    return digest or hashlib.sha256(objects.get(file.id)).hexdigest()


def _sha256_at(place: Path, file: File) -> str | None:
    if place.stat().st_size != file.size or hash_file(place) != file.id:
        return None
    hasher = hashlib.sha256()
    with open(place, "rb", buffering=0) as source:
        while piece := source.read(_PIECE):
            hasher.update(piece)
    return hasher.hexdigest() if hash_file(place) == file.id else None


def _field(name: str, value: object) -> str | tuple[str, ...]:
    if name in _LISTS:
        items = value if isinstance(value, list | tuple) else [value]
        return tuple(str(item) for item in items)
    if isinstance(value, list | dict | tuple):
        raise InvalidValue("this field of a card is one text", value={name: value}, expected="text")
    return str(value)


def _context() -> dict[str, Any]:
    context: dict[str, Any] = {"@language": "en", "@vocab": "https://schema.org/"}
    for term in _TERMS.split():
        name, _, form = term.partition("=")
        if form.startswith("@"):
            context[name] = {"@id": f"cr:{name}", "@type": form}
        else:
            context[name] = form or f"cr:{name}"
    prefixes = {
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "dct": "http://purl.org/dc/terms/",
    }
    return context | prefixes | {"sc": "https://schema.org/"}


def _distribution(files: Mapping[bytes, File], sha256: Mapping[bytes, str]) -> Iterator[dict[str, Any]]:
    for path, file in sorted(files.items()):
        if path in sha256:
            yield {
                "@type": "cr:FileObject",
                "@id": quote(path),
                "name": readable(path),
                "contentUrl": quote(path),
                "contentSize": f"{file.size} B",
                "encodingFormat": _media_type(readable(path)),
                "sha256": sha256[path],
                "identifier": f"blake3:{file.id}",
            }


def _record_sets(fields: Mapping[bytes, Sequence[str]]) -> Iterator[dict[str, Any]]:
    for path, columns in sorted(fields.items()):
        rows = f"rows/{quote(path)}"
        yield {
            "@type": "cr:RecordSet",
            "@id": rows,
            "name": f"rows of {readable(path)}",
            "field": [
                {
                    "@type": "cr:Field",
                    "@id": f"{rows}/{quote(column)}",
                    "name": column,
                    "dataType": "sc:Text",
                    "source": {"fileObject": {"@id": quote(path)}, "extract": {"column": column}},
                }
                for column in columns
            ],
        }


def _split_steps(version: DataVersion) -> Iterator[str]:
    if version.split is not None:
        split = version.split
        shares = ", ".join(f"{part} {share:g}" for part, share in split.fractions.items())
        by = f", stratified by {'folder' if split.stratify == FOLDER else split.stratify}" if split.stratify else ""
        yield f"part {split.part!r} of blake3:{split.source}, dealt out by {split.unit} ({shares}; seed {split.seed}{by}; {split.method})"


def _media_type(name: str) -> str:
    return _KINDS.get(PurePosixPath(name).suffix.lower()) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _is_url(text: str) -> bool:
    return re.match(r"https?://\S+$", text) is not None
