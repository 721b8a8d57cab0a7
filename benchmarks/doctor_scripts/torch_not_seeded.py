"""A network in torch that never had a seed."""
# planted: torch

import torch

points = torch.linspace(-1, 1, 64).unsqueeze(1)
model = torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(20):
    loss = torch.nn.functional.mse_loss(model(points), points**2)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"step={step} loss={loss.item()!r}")
torch.save(model.state_dict(), "model.pt")
