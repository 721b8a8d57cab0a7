"""Results for people: tables, LaTeX, a page (floor 7)."""
