"""The report of a study: one page, its pictures, its tables."""
