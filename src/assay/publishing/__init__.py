"""One run or one study in one file: what belongs in it, how people and other tools read it, and whether it is whole."""
