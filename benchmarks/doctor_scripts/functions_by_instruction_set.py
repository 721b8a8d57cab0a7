"""A recurrent map through functions whose last bits depend on the instructions that the CPU has."""
# planted: CPU class

import numpy as np

state = np.linspace(-2, 2, 500, dtype=np.float32)
for step in range(30):
    state = np.tanh(np.exp(-np.abs(state)) * 2 - state)
    print(f"step={step} mean={float(state.mean())!r}")
np.save("state.npy", state)
