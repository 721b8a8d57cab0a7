"""How often `assay doctor` names the source that was planted in a script, and nothing else: real scripts, one planted source each.

A diagnosis is right where the planted source is named, and beside it at most the numerics of the machine (thread count, CPU class), which do
move the last bits of what a library sums; of a clean script, where nothing at all is named. Prints each diagnosis and both shares.

The scripts of `doctor_scripts` were there while the diagnosis was written, or led to a change of it; those of `doctor_scripts_held_out` were
written after it and led to none. They need NumPy, SciPy, scikit-learn and torch.

    python benchmarks/bench_doctor.py [NAME ...] [--held-out]
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
MACHINE = {"thread count", "CPU class"}


def diagnose(script: Path) -> tuple[dict, float]:
    """The document of a diagnosis in a folder of the script's own, and how long it took in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(script, folder)
        env = {name: value for name, value in os.environ.items() if not name.startswith(("ASSAY_", "PYTHONHASHSEED"))}
        began = time.perf_counter()
        command = [sys.executable, "-m", "assay", "doctor", "--json", "--", sys.executable, script.name]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        return json.loads(done.stdout), time.perf_counter() - began


def is_right(planted: str, document: dict) -> bool:
    """Whether the diagnosis names what was planted, and nothing that was not."""
    if "error" in document:
        return False
    named = {cause["source"] for cause in document["causes"]}
    if planted == "nothing":
        return document["grade"] == "identical"
    expected = set(planted.split(", "))
    return expected <= named and named - MACHINE <= expected and not document["unknown"]


def main(words: list[str]) -> None:
    folder = HERE / ("doctor_scripts_held_out" if "--held-out" in words else "doctor_scripts")
    names = {word for word in words if not word.startswith("-")}
    score: dict[bool, list[bool]] = {True: [], False: []}
    print(f"{'script':30} {'planted':18} {'named':44} {'grade':34} runs     s")
    for script in sorted(folder.glob("*.py")):
        if names and script.stem not in names:
            continue
        planted = re.search(r"^# planted: (.+)$", script.read_text(), re.MULTILINE)[1]
        document, seconds = diagnose(script)
        right = is_right(planted, document)
        score[planted == "nothing"].append(right)
        named = ", ".join(f"{cause['source']} ({cause['sameness']})" for cause in document.get("causes", ()))
        grade = document.get("grade") or document["error"]["message"]
        mark = "" if right else "  WRONG"
        print(
            f"{script.stem:30} {planted:18} {named or '-':44} {grade:34} {document.get('runs', 0):4} {seconds:5.1f}{mark}",
            flush=True,
        )
    for clean, kind in ((False, "planted sources named"), (True, "clean scripts with nothing named")):
        if score[clean]:
            print(f"{kind}: {sum(score[clean])} of {len(score[clean])}")


if __name__ == "__main__":
    main(sys.argv[1:])
