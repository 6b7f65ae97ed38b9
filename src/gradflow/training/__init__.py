"""One run: build what the configuration says, train it in its folder, test it."""
