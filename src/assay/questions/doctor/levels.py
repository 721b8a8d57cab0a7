"""Levels of sources, and how they are put into a run: variables that its recipe names, words for the probe, a folder."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from assay.execution.again import Original
from assay.questions.doctor.sources import ADDRESSES, BY_NAME, CPU, FOLDER, GPU, HASH_SEED, LEFT_OVER, SOURCES, THREADS, shown
from assay.records.environment import Hardware

Levels = Mapping[str, int]
"""Source to the level that it is held at; one that is not named is as it comes."""

_THREAD_VARIABLES: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
# Emulate a CPU without AVX2 on one that has it; each library reads its own. NumPy's names changed with 2.4: those it does not know do nothing.
_OLDER_CPU: Final = {
    "OPENBLAS_CORETYPE": "Nehalem",
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "NPY_DISABLE_CPU_FEATURES": ("AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V3 X86_V4"),
}
_PROBED: Final = frozenset(source.name for source in SOURCES) - {HASH_SEED, FOLDER, THREADS, CPU, ADDRESSES, GPU, LEFT_OVER}


def held(names: Collection[str]) -> dict[str, int]:
    """Every source that varies by itself, and the folder, at a fixed level; of `names`, these alone."""
    return {source.name: 1 for source in SOURCES if source.name in names and (source.by_itself or source.name == FOLDER)}


def other(name: str, levels: Levels, hardware: Hardware, natural: Levels) -> dict[str, int]:
    """`levels` with one source at another level.

    Args:
        name: the source.
        levels: of all.
        hardware: of this machine: how many processors there are.
        natural: the level that sources have as they come, where it is known.
    """
    if name == GPU:  # fixed or left alone: there is nothing between
        return {key: level for key, level in levels.items() if key != name}
    return {**levels, name: _OTHER.get(name, _next)(levels.get(name, 0), hardware, natural.get(name, 0))}


def _next(level: int, _: Hardware, natural: int) -> int:
    return (level or natural or 1) + 1


_OTHER: Final = {
    "cpus": lambda _, hardware, __: 2 * max(hardware.cpus, 1),
    "workers": lambda *_: 1,
    CPU: lambda *_: 1,
    THREADS: lambda _, __, natural: 1 if natural > 1 else 2,
}


def is_testable(name: str, hardware: Hardware) -> str:
    """Why a source cannot be varied here; empty where it can be."""
    if name == CPU and "avx2" not in hardware.features:
        return "only on x86-64 with AVX2 can another class of CPU be emulated"
    if name == GPU and not hardware.gpus:
        return "no GPU"
    return ""


def with_levels(original: Original, levels: Levels, watch: bool) -> Original:
    """The run with these levels; its recipe names all of them, so that it stands for no other run."""
    recipe = original.recipe
    threads, flags = dict(recipe.threads), dict(recipe.flags)
    if HASH_SEED in levels:
        flags["PYTHONHASHSEED"] = str(levels[HASH_SEED])
    if THREADS in levels:
        threads |= dict.fromkeys(_THREAD_VARIABLES, str(levels[THREADS]))
    if CPU in levels:
        flags |= _OLDER_CPU
    if GPU in levels:
        flags["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    words = " ".join([*(["watch"] if watch else []), *(f"{word}={level}" for word, level in sorted(_words(levels).items()))])
    if words:
        flags["ASSAY_PROBE"] = words
    return original._replace(recipe=msgspec.structs.replace(recipe, threads=threads, flags=flags))


def _words(levels: Levels) -> dict[str, int]:
    plain = {name: level for name, level in levels.items() if name in _PROBED}
    named = {"addresses": ADDRESSES, "gpu": GPU}
    return plain | {word: levels[name] for word, name in named.items() if name in levels}


def shown_levels(levels: Levels) -> str:
    """Levels in a word for the name of a run.

    >>> shown_levels({"clock": 2, "names": 1}), shown_levels({})
    ('clock 2, temporary names 1', 'as it is')
    """
    return ", ".join(f"{shown(name)} {levels[name]}" for name in BY_NAME if name in levels) or "as it is"
