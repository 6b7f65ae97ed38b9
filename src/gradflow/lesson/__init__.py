"""The lesson: experiments that take seconds, and the interactive page that is made from them."""
