"""A network in torch that is seeded only after its weights were drawn."""
# planted: torch

import torch

model = torch.nn.Linear(4, 1)
torch.manual_seed(0)
points = torch.rand(64, 4)
target = points.sum(dim=1, keepdim=True)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(20):
    loss = torch.nn.functional.mse_loss(model(points), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"step={step} loss={loss.item()!r}")
