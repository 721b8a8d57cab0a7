"""Folds in processes, taken as they are done, under a mean that forgets."""
# planted: timing

from multiprocessing import Pool


def fold(number):
    """Score of one fold; some take longer than others."""
    return number + sum(step % 13 for step in range(5_000 * (number * 3 % 8 + 1))) % 2


if __name__ == "__main__":
    score = 0.0
    with Pool(3) as pool:
        for value in pool.imap_unordered(fold, range(9)):
            score = 0.8 * score + 0.2 * value
    print(f"score={score!r}")
