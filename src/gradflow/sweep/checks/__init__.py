"""Is a configuration sensible? One clear line if not, before anything is trained."""
