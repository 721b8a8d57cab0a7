"""A bundle as an RO-Crate (1.1), its runs as actions (Process Run Crate 0.5): what repositories and other tools read.

https://w3id.org/ro/crate/1.1 and https://w3id.org/ro/wfrun/process/0.5
"""

from __future__ import annotations

import mimetypes
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from assay.publishing.contents import Contents
from assay.publishing.credits import Credits
from assay.publishing.names import Named
from assay.records.bundle import Absent, Bundle
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.report.document import plain, to_json
from assay.store.bundles.writing import CRATE, Written

_VERSION: Final = "https://w3id.org/ro/crate/1.1"
_PROFILE: Final = "https://w3id.org/ro/wfrun/process/0.5"
_ASSAY: Final = "#assay"
_TYPES: Final = {".py": "text/x-python", ".md": "text/markdown", ".cff": "text/yaml", ".toml": "application/toml"}
_STATUS: Final = {"finished": "CompletedActionStatus", "failed": "FailedActionStatus", "crashed": "FailedActionStatus"}
_KNOWN: Final = mimetypes.MimeTypes()  # Python's own table: that of the machine would make the bytes depend on it
Entity = dict[str, Any]


class Described(NamedTuple):
    """What a crate tells of.

    Attributes:
        manifest: what the bundle says of itself.
        contents, names: what is in it, and where.
        runs: the runs by id.
        credits: who made the project.
        title: one line on what this is.
    """

    manifest: Bundle
    contents: Contents
    names: Named
    runs: Mapping[str, Run]
    credits: Credits
    title: str


def crate(described: Described, members: Mapping[str, Written]) -> str:
    """The text of `ro-crate-metadata.json`. The same bundle gives the same text.

    Args:
        described: what it tells of.
        members: every other member of the bundle.
    """
    graph: list[Entity] = [_descriptor(), _root(described, members), _profile(), _software()]
    graph += _credited(described)
    identity = {name: content_id for content_id, name in described.names.objects.items()} | described.names.copies
    graph += [_file(name, written, identity.get(name)) for name, written in sorted(members.items())]
    graph += [_not_here(absent) for absent in described.manifest.absent]
    for run_id in described.manifest.runs:
        graph += _action(described, described.runs[run_id], described.contents.recipes[run_id])
    context = [f"{_VERSION}/context", {"sha256": "https://schema.org/sha256"}]
    known: dict[str, Entity] = {}
    for entity in graph:
        known.setdefault(entity["@id"], entity)
    return to_json({"@context": context, "@graph": list(known.values())})


def file_id(name: str) -> str:
    """The id of a member in a crate.

    >>> file_id("outputs/a b.csv")
    'outputs/a%20b.csv'
    """
    return quote(name)


def _descriptor() -> Entity:
    return {"@id": CRATE, "@type": "CreativeWork", "conformsTo": {"@id": _VERSION}, "about": {"@id": "./"}}


def _root(described: Described, members: Mapping[str, Written]) -> Entity:
    ended = max((_end(run) for run in described.runs.values()), default=0.0)
    found: Entity = {
        "@id": "./",
        "@type": "Dataset",
        "name": described.credits.title or described.title,
        "description": described.title,
        "datePublished": _moment(ended),
        "identifier": described.manifest.subject,
        "conformsTo": {"@id": _PROFILE},
        "license": _licence(described),
        "hasPart": [{"@id": file_id(name)} for name in sorted(members)],
        "mentions": [{"@id": f"#run-{run_id}"} for run_id in described.manifest.runs],
    }
    if described.credits.authors:
        found["author"] = [{"@id": _person(author.name, author.orcid)} for author in described.credits.authors]
    return found


def _licence(described: Described) -> Any:
    file = f"code/{described.credits.licence_file}"
    if described.credits.licence_file and file in {*described.names.objects.values(), *described.names.copies}:
        return {"@id": file_id(file)}
    return described.credits.licence or "The project states no licence; ask its authors."


def _profile() -> Entity:
    return {"@id": _PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}


def _software() -> Entity:
    return {
        "@id": _ASSAY,
        "@type": "SoftwareApplication",
        "name": "Assay",
        "description": "records runs, and carries them out again",
    }


def _credited(described: Described) -> Iterator[Entity]:
    for author in described.credits.authors:
        yield {"@id": _person(author.name, author.orcid), "@type": "Person", "name": author.name}


def _person(name: str, orcid: str) -> str:
    return orcid or f"#person-{quote(name, safe='')}"


def _file(name: str, written: Written, content_id: str | None) -> Entity:
    found: Entity = {
        "@id": file_id(name),
        "@type": ["File", "SoftwareSourceCode"] if name.startswith("code/") and name.endswith(".py") else "File",
        "name": name.partition("/")[2] or name,
        "contentSize": str(written.size),
        "sha256": written.sha256,
        "encodingFormat": _type(name),
    }
    return found | ({"identifier": f"blake3:{content_id}"} if content_id else {})


def _type(name: str) -> str:
    ending = name[name.rfind(".") :] if "." in name.rpartition("/")[2] else ""
    return _TYPES.get(ending) or _KNOWN.guess_type(name)[0] or "application/octet-stream"


def _not_here(absent: Absent) -> Entity:
    found: Entity = {
        "@id": f"#absent-{absent.id}",
        "@type": "CreativeWork",
        "name": absent.path or absent.id,
        "identifier": f"blake3:{absent.id}",
        "description": f"not in this bundle: {absent.why}",
    }
    return found | ({"conditionsOfAccess": absent.access} if absent.access else {})


def _action(described: Described, run: Run, recipe: Recipe) -> Iterator[Entity]:
    trace = described.contents.traces[run.id]
    script = _script(described, recipe)
    parameters = [_value("param", run.id, name, value) for name, value in sorted((run.params or recipe.params).items())]
    metrics = [_value("metric", run.id, name, value) for name, value in sorted(run.metrics.items())]
    action: Entity = {
        "@id": f"#run-{run.id}",
        "@type": "CreateAction",
        "name": run.start.name or run.id,
        "identifier": run.id,
        "description": " ".join(recipe.command) or recipe.function or "cells of a session",
        "instrument": {"@id": script},
        "object": [*_used(described, trace.read), *({"@id": value["@id"]} for value in parameters)],
        "result": [*_used(described, trace.written), *({"@id": value["@id"]} for value in metrics)],
        "startTime": _moment(run.start.started),
        "actionStatus": f"http://schema.org/{_STATUS.get(run.state, 'FailedActionStatus')}",
    }
    if run.result is not None:
        action["endTime"] = _moment(run.result.ended)
        if run.result.failure is not None:
            action["error"] = run.result.failure.text
    if run.parents:
        action["isBasedOn"] = [{"@id": f"#run-{parent}"} for parent in dict.fromkeys(parent.run for parent in run.parents)]
    yield action
    if script.startswith("#"):
        yield {"@id": script, "@type": "SoftwareApplication", "name": recipe.function or " ".join(recipe.command[:1]) or "session"}
    yield from parameters
    yield from metrics
    for parent in run.parents:
        if parent.run not in described.runs:
            yield _parent(parent.run)


def _parent(run_id: str) -> Entity:
    text = "a run that another one builds on; not in this bundle"
    return {"@id": f"#run-{run_id}", "@type": "CreateAction", "name": run_id, "description": text, "instrument": {"@id": _ASSAY}}


def _script(described: Described, recipe: Recipe) -> str:
    """The file of the code that a run carried out; a name for its program where that is no file of the code."""
    folder = "" if recipe.directory == "." else f"{recipe.directory}/"
    known = {*described.names.objects.values(), *described.names.copies}
    module = [] if recipe.function is None else [recipe.function.partition(":")[0].replace(".", "/") + ".py"]
    for word in (*recipe.command, *module):
        name = f"code/{folder}{word}"
        if name in known:
            return file_id(name)
    return f"#program-{quote(recipe.function or ' '.join(recipe.command[:1]) or 'session', safe='')}"


def _used(described: Described, uses: Sequence[Any]) -> list[Entity]:
    found: dict[str, None] = {}
    away = {absent.id for absent in described.manifest.absent}
    for use in uses:
        name = described.names.objects.get(use.id or "")
        if name is not None:
            found[file_id(name)] = None
        elif use.id in away:
            found[f"#absent-{use.id}"] = None
    return [{"@id": each} for each in found]


def _value(kind: str, run_id: str, name: str, value: object) -> Entity:
    shown = plain(value)
    simple = shown if isinstance(shown, str | int | float | bool) else to_json(shown).strip()
    return {"@id": f"#{kind}-{run_id}-{quote(name, safe='')}", "@type": "PropertyValue", "name": name, "value": simple}


def _end(run: Run) -> float:
    return run.result.ended if run.result else run.start.started


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(seconds))
