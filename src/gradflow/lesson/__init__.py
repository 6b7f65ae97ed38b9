"""The lesson: experiments that take seconds, and the interactive page built from them."""
