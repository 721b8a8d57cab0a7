"""Batches that a data loader shuffles; the weights have a seed, the loader draws before it."""
# planted: torch

import torch

points = torch.linspace(-1, 1, 48).unsqueeze(1)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(points, points.sin()), batch_size=8, shuffle=True)
order = [batch for batch, _ in loader]
torch.manual_seed(4)
model = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
for step, batch in enumerate(order):
    loss = torch.nn.functional.mse_loss(model(batch), batch.sin())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"step={step} loss={loss.item()!r}")
