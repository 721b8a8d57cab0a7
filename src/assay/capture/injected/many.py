"""Names of many files: what a report that opens them again and again need not say again.

Beside the tracer, for the same interpreters and by the same rules, and loaded by processes that open some hundred thousand files.
"""

END = b"\0\n"
READ = b"\0q"


class Names:
    """The names that a report has, each by its hash: about 80 bytes of the user's memory."""

    def __init__(self) -> "None":
        self._known = set()  # type: set[int]

    def __len__(self) -> "int":
        return len(self._known)

    def fresh(self, records: "bytes") -> "bytes":
        """The records without names that came before, here or in earlier calls; what a kill or another thread left torn is not there."""
        known, kept, base = self._known, [b""], b""
        for record in records[: records.rfind(END)].split(END):
            kind = record[:1]
            if record[-2:] == READ:
                key = hash(record if kind == b"/" else base + record)
                if key in known:
                    continue
                known.add(key)
            elif kind == b"f":
                base = record
            elif kind == b"t" and kept[-1][:1] == kind:
                kept.pop()  # nothing new happened then
            kept.append(record)
        return END.join(kept[1:]) + END
