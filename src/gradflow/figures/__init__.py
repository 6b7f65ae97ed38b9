"""Every picture: colours, marks, panels, tables as text, the pictures of one run."""
