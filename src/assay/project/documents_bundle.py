"""The JSON documents about bundles."""

from __future__ import annotations

from pathlib import Path

from assay.project.documents import Document
from assay.publishing.check import Verified
from assay.publishing.pack import Packed
from assay.records.bundle import Bundle
from assay.report.document import VERSION, plain


def published(found: Packed) -> Document:
    """What `publish` prints; `size` is null where nothing was written."""
    manifest = found.manifest
    return {
        "version": VERSION,
        "file": str(found.path),
        "size": found.size,
        "sizes": found.sizes,
        "kind": manifest.kind,
        "subject": manifest.subject,
        "name": manifest.name,
        "runs": list(manifest.runs),
        "objects": len(manifest.objects),
        "absent": plain(manifest.absent),
    }


def verified(found: Verified, file: str) -> Document:
    """What `verify` prints."""
    document: Document = plain(found)
    return {"version": VERSION, "file": file, **document}


def bundle(path: str, manifest: Bundle, store: Path) -> Document:
    """The field that documents about runs of a bundle have: which it is, and the store that new runs go into."""
    return {"file": path, "kind": manifest.kind, "subject": manifest.subject, "store": str(store), "absent": plain(manifest.absent)}
