"""Published experiments beside what gradflow measures: studies to small tables, tables to one page."""
