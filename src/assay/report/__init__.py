"""What a study says, for people: tables (terminal, Markdown, LaTeX) and one self-contained page with a forest plot (floor 7)."""
