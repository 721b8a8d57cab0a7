"""Examples that are split by identifiers that the system draws."""
# planted: entropy

import uuid

examples = [(uuid.uuid4().hex, number / 100) for number in range(100)]
train = [value for name, value in examples if int(name[:2], 16) < 200]
test = [value for name, value in examples if int(name[:2], 16) >= 200]
mean = sum(train) / len(train)
print(f"test_error={sum((value - mean) ** 2 for value in test) / max(len(test), 1)!r}")
