"""On a machine with an NVIDIA GPU and torch: the GPU is recorded, its nondeterminism is named, and a flag that changes numbers is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.questions.doctor import diagnose
from assay.records.environment import Environment
from assay.records.run import Run
from assay.store.store import Store

pytestmark = pytest.mark.skipif(not Path("/proc/driver/nvidia/gpus").exists(), reason="needs an NVIDIA GPU")

TRAIN = """\
import time, torch
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Conv2d(3, 32, 3), torch.nn.ReLU(), torch.nn.Conv2d(32, 32, 3), torch.nn.AdaptiveAvgPool2d(1),
                            torch.nn.Flatten(), torch.nn.Linear(32, 10)).cuda()
optimiser = torch.optim.SGD(model.parameters(), lr=0.05)
x, y = torch.randn(512, 3, 64, 64, device="cuda"), torch.randint(0, 10, (512,), device="cuda")
held, began = torch.ones(512 << 20, dtype=torch.uint8, device="cuda"), time.time()
for step in range(100):
    loss = torch.nn.functional.cross_entropy(model(x), y)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
while time.time() < began + 3:
    (x @ x.transpose(2, 3)).sum().item()
torch.save(model.state_dict(), "model.pt")
print(f"loss={loss.item():.9f}")
"""
ATOMICS = """\
import torch
generator = torch.Generator(device="cuda")
generator.manual_seed(0)
x = torch.randn(4_000_000, device="cuda", generator=generator)
index = torch.randint(0, 16, (4_000_000,), device="cuda", generator=generator)
total = torch.zeros(16, device="cuda")
for _ in range(50):
    total = torch.zeros(16, device="cuda").index_add_(0, index, x * (1 + total[index]) / (1 + total.norm()))
print(f"norm={total.norm().item():.12f}")
"""
MATMUL = """\
import torch
torch.manual_seed(0)
torch.backends.cuda.matmul.allow_tf32 = True
a, b = torch.randn(1024, 1024, device="cuda"), torch.randn(1024, 1024, device="cuda")
print(f"trace={(a @ b).trace().item():.9f}")
"""


@pytest.fixture(autouse=True)
def _torch() -> None:
    pytest.importorskip("torch")


def assay(folder: Path, *words: str, **env: str) -> tuple[int, Any]:
    """What the command said as JSON, with its exit code."""
    command = [sys.executable, "-m", "assay", *words]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout) if "--json" in words else done.stdout + done.stderr


def recorded(folder: Path, script: str, *options: str, **env: str) -> tuple[Store, Run]:
    (folder / "train.py").write_text(script)
    code, said = assay(folder, "run", *options, sys.executable, "train.py", **env)
    assert code == 0, said
    store = Store.open(folder)
    return store, max(store.catalogue.runs(), key=lambda run: run.start.started)


def test_a_training_on_a_gpu_says_which_and_what_it_used(project: Path) -> None:
    """The device and driver are in the environment; memory that the script held is counted, and the flags that decide about repeating."""
    store, run = recorded(project, TRAIN)
    assert run.result is not None
    environment = store.objects.record(run.result.environment or "", Environment)
    assert environment.hardware.gpus
    assert "NVIDIA" in environment.hardware.gpus[0].name
    assert environment.hardware.gpu_driver
    assert run.result.resources.gpu_peak_memory is not None
    assert 512 << 20 <= run.result.resources.gpu_peak_memory < 8 << 30
    assert run.result.resources.gpu_utilisation is not None
    assert 0 < run.result.resources.gpu_utilisation <= 100


def test_with_a_seed_a_training_on_a_gpu_comes_back_identical(project: Path) -> None:
    """Assay's seeding takes deterministic algorithms, so loss and weights are the same to the bit."""
    recorded(project, TRAIN, "--seed", "0")
    code, said = assay(project, "reproduce", "last", "--json")
    assert code == 0, said
    assert said["verdict"] == "identical"


def test_atomics_are_named_as_what_moves_a_seeded_script(project: Path) -> None:
    (project / "script.py").write_text(ATOMICS)
    found = diagnose(Store.open(project), project, [sys.executable, "script.py"], cwd=project, runs=3, timeout=300)
    assert "GPU algorithms" in {mover.source for mover in found.movers}
    assert {"random", "default_rng", "clock"}.isdisjoint(mover.source for mover in found.movers)
    assert found.enough


def test_why_names_the_flag_that_changed_the_products(project: Path) -> None:
    """TensorFloat-32 was switched off from outside: nothing else changed, and the flag alone explains the whole gap."""
    _, first = recorded(project, MATMUL)
    _, second = recorded(project, MATMUL, NVIDIA_TF32_OVERRIDE="0")
    code, said = assay(project, "why", first.id, second.id, "--metric", "trace")
    assert code == 0, said
    assert "NVIDIA_TF32_OVERRIDE" in said


def test_show_names_gpu_driver_and_use(project: Path) -> None:
    recorded(project, TRAIN)
    _, said = assay(project, "show", "last")
    assert "driver" in said
    assert "GPU memory" in said
    assert "% of the time" in said


CROWDED = """\
import assay

def train(config, seed):
    import torch
    free, total = torch.cuda.mem_get_info()
    held = torch.empty(int(0.6 * total), dtype=torch.uint8, device="cuda")
    torch.manual_seed(seed)
    for _ in range(50):
        value = torch.randn(2048, 2048, device="cuda").square().mean().item()
    return {"y": value + config["a"]}

if __name__ == "__main__":
    study = assay.Study(train, baseline={"a": 1}, components=[assay.change("a", "two", a=2)], metrics=[assay.maximize("y")], seeds=3)
    result = study.run(workers=3)
    print([row.state for row in result.outcomes], [finding.kind for finding in result.findings])
"""


def test_trials_that_do_not_fit_on_the_device_together_run_alone(project: Path) -> None:
    (project / "crowded.py").write_text(CROWDED)
    done = subprocess.run([sys.executable, "crowded.py"], cwd=project, capture_output=True, text=True, check=False)
    assert "['finished', 'finished', 'finished', 'finished', 'finished', 'finished']" in done.stdout, done.stdout + done.stderr
    assert "'device memory'" in done.stdout
