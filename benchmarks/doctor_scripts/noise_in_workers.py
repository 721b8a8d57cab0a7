"""Noise that is added to examples in the workers of a data loader: each worker has a stream of its own."""
# planted: workers

import torch


class Noisy(torch.utils.data.Dataset):
    """Numbers with noise."""

    def __len__(self):
        return 24

    def __getitem__(self, index):
        return index + torch.randn(1)


torch.manual_seed(0)
weight = 0.0
for step, batch in enumerate(torch.utils.data.DataLoader(Noisy(), batch_size=4, num_workers=1)):
    weight += 0.1 * (batch.mean().item() - weight)
    print(f"step={step} weight={weight!r}")
