"""The command line: commands, terminal output, JSON documents, exit codes (floor 9)."""
