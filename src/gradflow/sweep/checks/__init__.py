"""Is a configuration sensible? If not, one clear line before anything is trained."""
