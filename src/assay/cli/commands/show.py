"""`assay show`: everything known of a run, section by section."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

from assay.cli.bundles import one
from assay.cli.commands.ls import value_text
from assay.cli.output import age, emit, json_option, moment, pairs, say, size, state_text, styled, title
from assay.cli.streams import write_answer
from assay.comparison.diff import flatten
from assay.project import documents
from assay.report.layout import safe
from assay.report.numbers import duration

_LISTED = 12
Document = dict[str, Any]


@click.command(name="show")
@click.argument("run", metavar="RUN|BUNDLE")
@click.option("--all", "everything", is_flag=True, help="List every file and package, however many there are.")
@click.option(
    "--fidelity", is_flag=True, help="Only what was captured, what was not, what that means for who repeats it, and what to do."
)
@click.option("--patch", is_flag=True, help="Only what was patched since the runs that it goes on from, as `git apply` takes it.")
@click.option("--output", is_flag=True, help="Only what it printed, without secrets; until now, where it still runs.")
@click.option("--rank", type=click.IntRange(0), metavar="N", help="With --output: what rank N of a distributed program printed.")
@json_option
def command(run: str, everything: bool, fidelity: bool, patch: bool, output: bool, rank: int | None, as_json: bool) -> int:
    """Show everything known of RUN: what it was, its result, code, data, environment, and what was not captured.

    Of a BUNDLE (a file that `assay publish` wrote) the run that `assay reproduce` would carry out.
    """
    project, found = one(run)
    if fidelity:
        _judgement(documents.fidelity(found), as_json)
        return 0
    if output or rank is not None:
        _printed(project.printed(found), rank, as_json)
        return 0
    document = project.show(found)
    if patch and not as_json:
        for since in document["run"]["patched"]:
            write_answer(project.patch_since(since["parent"], document["run"]["id"]))
        return 0
    if as_json:
        emit(document)
        return 0
    most = None if everything else _LISTED
    known = document["run"]
    _what(known)
    _result(known)
    _code(known, most)
    _files("Data read", known["trace"]["read"], most)
    _files("Files written", known["trace"]["written"], most)
    _environment(known, most)
    _resources(known)
    _fidelity(known, most)
    return 0


def _what(run: Document) -> None:
    say(f"{styled('run ' + run['id'], bold=True)}  {state_text(run['state'])}")
    took = f", {duration(run['ended'] - run['started'])}" if run["ended"] is not None else ""
    pairs(
        _present(
            ("name", run["name"]),
            ("command", " ".join(run["command"])),
            ("started", f"{moment(run['started'])} ({age(run['started'])}){took}"),
            ("tags", ", ".join(run["tags"])),
            ("study", run["study"] or ""),
            ("recipe", run["recipe"]),
            ("on", _place(run)),
        )
    )
    for note in run["notes"]:
        say(f"  note        {moment(note['time'])} {safe(note['user'])}: {safe(note['text'])}")
    _section("Builds on", [(parent["run"][:8], f"{parent['by']} {parent['path']}".strip()) for parent in run["parents"]])
    for since in run["patched"]:
        _patched(since)


def _place(run: Document) -> str:
    job = ((run["environment"] or {}).get("variables") or {}).get("SLURM_JOB_ID")
    return f"{run['host']['name']}, job {job} of Slurm" if job else str(run["host"]["name"])


def _patched(since: Document) -> None:
    """The files of the code that differ from a parent's, in a line each."""
    if not since["files"]:
        say(f"  {since['parent'][:8]}  ran the same code")
        return
    title(f"Patched since {since['parent'][:8]} (--patch shows the text)")
    for file in since["files"][:_LISTED]:
        lines = "" if file["added"] is None else f"+{file['added']} -{file['removed']}"
        say("  " + "  ".join(part for part in (safe(file["path"]), file["how"], lines) if part))
    if len(since["files"]) > _LISTED:
        say(f"  and {len(since['files']) - _LISTED} more")


def _result(run: Document) -> None:
    _section("Parameters", [(name, value_text(value)) for name, value in flatten(run["params"])])
    _section("Metrics", [(name, value_text(value)) for name, value in run["metrics"].items()])


def _code(run: Document, most: int | None) -> None:
    code = run["code"]
    where = _git(code["git"]) if code["git"] else ""
    _section(
        "Code",
        _present(
            ("tree", code["tree"] or "none"),
            ("git", where),
            ("root", code["root"]),
            ("directory", code["directory"] if code["directory"] != "." else ""),
            ("function", code["function"] or ""),
        ),
    )
    _list("loaded", [file["path"] for file in run["trace"]["loaded"]], most)
    _list("left out", [f"{path} ({why})" for path, why in code["left_out"].items()], most)


def _git(git: Document) -> str:
    commit = git["commit"][:12] if git["commit"] else "no commit yet"
    return f"{commit} on {git['branch'] or 'no branch'}{', with changes' if git['dirty'] else ''}"


def _files(heading: str, files: list[Document], most: int | None) -> None:
    if not files:
        return
    title(f"{heading} ({len(files)})")
    for file in files[:most]:
        notes = [
            size(file["size"]),
            (file["id"] or "content unknown")[:12],
            "kept" if file["kept"] else "hashed only",
            file["note"],
        ]
        say(f"  {safe(file['path'])}  {styled(', '.join(note for note in notes if note), dim=True)}")
    _more(len(files), most)


def _environment(run: Document, most: int | None) -> None:
    found = run["environment"]
    if found is None:
        return
    hardware = found["hardware"]
    machine = (
        f"{hardware['cpu'] or hardware['machine']}, {hardware['cpus']} of {hardware['cores']} cores, {size(hardware['memory'])}"
    )
    settings = run["determinism"]
    recipe = settings.get("recipe", {})
    _section(
        "Environment",
        _present(
            ("python", found["python"] or "not seen"),
            ("executable", found["executable"] or ""),
            ("system", found["os"]),
            ("machine", machine),
            ("gpu", accelerators(hardware)),
            ("seed", "" if recipe.get("seed") is None else str(recipe["seed"])),
            ("hash seed", str(settings.get("hash_seed", ""))),
            ("seeded", ", ".join(settings.get("seeded", []))),
            ("threads", ", ".join(f"{name}={value}" for name, value in recipe.get("threads", {}).items())),
            ("flags", ", ".join(f"{name}={value}" for name, value in recipe.get("flags", {}).items())),
        ),
    )
    _list("packages", [f"{package['name']} {package['version']}" for package in found["packages"]], most)


def accelerators(hardware: Document) -> str:
    """The GPUs in words, alike ones counted, with driver and CUDA where known; empty where there is none.

    >>> gpus = [{"name": "NVIDIA H100"}] * 8
    >>> accelerators({"gpus": gpus, "gpu_driver": "580.159.04", "cuda": None})
    '8 × NVIDIA H100 (driver 580.159.04)'
    """
    number = Counter(gpu["name"] for gpu in hardware["gpus"])
    named = ", ".join(f"{count} × {name}" if count > 1 else name for name, count in number.items())
    known = [f"{what} {hardware[key]}" for what, key in (("driver", "gpu_driver"), ("CUDA", "cuda")) if hardware[key]]
    return f"{named} ({', '.join(known)})" if named and known else named


def _resources(run: Document) -> None:
    used = run["resources"]
    if not used:
        return
    _section(
        "Resources",
        _present(
            ("wall time", duration(used["wall"])),
            ("CPU time", f"{duration(used['cpu_user'])} user, {duration(used['cpu_system'])} system"),
            ("peak memory", size(used["peak_memory"])),
            ("GPU memory", size(used["gpu_peak_memory"]) if used["gpu_peak_memory"] else ""),
            ("GPU busy", "" if used["gpu_utilisation"] is None else f"{used['gpu_utilisation']:.0f} % of the time"),
        ),
    )


def _fidelity(run: Document, most: int | None) -> None:
    kept = run["fidelity"]
    if kept:
        title("Fidelity")
        pairs([("grade", kept["grade"]), ("captured", ", ".join(kept["captured"]) or "nothing")])
        _list("missing", [f"{gap['what']}: {gap['why']}" for gap in kept["missing"]], most)
    if run["findings"]:
        title("Findings")
        for finding in run["findings"]:
            say(f"  {safe(finding['kind'])}: {safe(finding['about'])}: {safe(finding['text'])}")


def _judgement(found: Document, as_json: bool) -> None:
    if as_json:
        emit(found)
        return
    say(f"{styled('run ' + found['run'], bold=True)}  {found['grade']}: {found['says']}")
    pairs([("captured", ", ".join(found["captured"]) or "nothing")])
    for gap in found["missing"]:
        title(f"{safe(gap['what'])}: {safe(gap['why'])}")
        pairs([("means", gap["means"]), ("do", gap["do"])])


def _printed(streams: dict[str, bytes], rank: int | None, as_json: bool) -> None:
    """Each stream where it belongs: what went to standard error goes there again."""
    # Late: of all that `show` shows, only this needs it.
    from assay.project.printed import of_rank

    chosen = streams if rank is None else {f"rank{rank}": of_rank(streams, rank)}
    texts = {name: data.decode("utf-8", "replace") for name, data in chosen.items()}
    if as_json:
        emit(documents.output(texts))
        return
    for name, text in texts.items():
        if name == "stderr":
            click.echo(text, err=True, nl=False)
        elif rank is not None or not name.startswith("rank"):
            write_answer(text)


def _present(*items: tuple[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in items if value]


def _section(heading: str, items: list[tuple[str, str]]) -> None:
    if items:
        title(heading)
        pairs(items)


def _list(name: str, items: list[str], most: int | None) -> None:
    if not items:
        return
    shown = ", ".join(items[:most])
    more = f" and {len(items) - most} more (--all lists them)" if most is not None and len(items) > most else ""
    pairs([(f"{name} ({len(items)})", shown + more)])


def _more(count: int, most: int | None) -> None:
    if most is not None and count > most:
        say(f"  and {count - most} more (--all lists them)")
