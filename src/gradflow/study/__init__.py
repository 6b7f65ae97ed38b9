"""What a study shows. Reads only run folders: no Lightning, no models, no torch."""
