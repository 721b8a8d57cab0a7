"""Folds that are weighted in the order in which threads finish them."""
# planted: timing

from concurrent.futures import ThreadPoolExecutor, as_completed


def fold(number):
    """Score of one fold; some take longer than others."""
    total = 0.0
    for step in range(20_000 * (1 + number * 7 % 5)):
        total += (step % 7 - 3) * number
    return total


with ThreadPoolExecutor(max_workers=4) as pool:
    score = 0.0
    for done in as_completed([pool.submit(fold, number) for number in range(12)]):
        score = 0.9 * score + 0.1 * done.result()
print(f"score={score!r}")
