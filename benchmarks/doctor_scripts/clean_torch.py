"""torch on integers and powers of two, seeded and shuffled by a generator of its own: no sum is rounded."""
# planted: nothing

import torch

torch.manual_seed(0)
points = torch.randint(-8, 8, (64, 4))
labels = (points.sum(dim=1) > 0).long()
order = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(points, labels), batch_size=1, shuffle=True, generator=torch.Generator().manual_seed(1)
)
weights = torch.zeros(4, dtype=torch.long)
for epoch in range(3):
    wrong = 0
    for point, label in order:
        guess = int((point[0] * weights).sum() > 0)
        wrong += int(guess != label.item())
        weights += (label.item() - guess) * point[0]
    print(f"epoch={epoch} error={wrong / 64}")
torch.save(weights, "weights.pt")
