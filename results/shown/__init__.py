"""Numbers as people read them: words, tables of runs, pages of mistakes."""
