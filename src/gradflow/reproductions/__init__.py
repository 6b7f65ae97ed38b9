"""Published experiments compared with what gradflow measures: studies to small tables, tables to one page."""
