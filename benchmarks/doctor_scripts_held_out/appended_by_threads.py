"""A list that threads add to, each when it is done, and a sum that forgets what came first."""
# planted: timing

import threading

found = []


def work(number):
    """Add a number after some work."""
    total = sum(step % 11 for step in range(3_000 * (number * 5 % 7 + 1)))
    found.append(number + total % 2)


threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
score = 0.0
for number in found:
    score = 0.7 * score + number
print(f"score={score!r}")
