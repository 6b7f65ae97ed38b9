"""What a study says. Reads run folders only: no Lightning, no models, no torch."""
