"""Tables that `pathlib` finds, joined as they come and smoothed in that order."""
# planted: listing

from pathlib import Path

folder = Path("tables")
folder.mkdir(exist_ok=True)
for number in range(9):
    (folder / f"part{number}.csv").write_text(f"value\n{number * 1.25}\n")
smooth = 0.0
for path in folder.glob("*.csv"):
    smooth = 0.8 * smooth + 0.2 * float(path.read_text().splitlines()[1])
Path("result.csv").write_text(f"smooth\n{smooth!r}\n")
